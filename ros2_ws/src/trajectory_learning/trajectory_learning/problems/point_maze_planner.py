"""PointMaze's planners: windows, generators, the Diffuser, and what ranks their samples.

A row of a window is a state and the action taken there. Positions are relative to the present one,
and every entry is in units of the data's spread at its time; the present state is given and is
clamped (Eq. 6 of Keyed Drifting Policies). Goals lie beyond most windows, so they are part of the
condition and of the key instead of being painted in (Eq. 7).

Letters: ``B`` conditions, ``K`` samples of each, ``H`` rows of a window, ``C = 6`` numbers of a
condition (x, y, v_x, v_y, goal x, goal y), ``S`` steps that a plan is followed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from trajectory_learning.benchmarks.training import Budget, fit
from trajectory_learning.methods import Method
from trajectory_learning.methods.diffuser import Diffuser, first_state
from trajectory_learning.methods.diffusion import Diffusion, Schedule
from trajectory_learning.networks.denoisers import MlpDenoiser
from trajectory_learning.networks.residual_mlp import ResidualBlock, ResidualMLP
from trajectory_learning.problems.point_maze_data import GOAL_RADIUS_M, Episodes, Maze

HORIZON = 32
STATES, ACTIONS = 4, 2
CHANNELS = STATES + ACTIONS
NOISE = 16
SAMPLES = 512
"""Samples of a training step, whatever the number that a condition has."""
DDIM_STEPS = 10
RANKED_ROWS = (7, 15, 23, 31)
WALL_M = 0.1
"""Radius of the point."""
STEPS_UNIT = 100.0


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of the data.

    Attributes:
        condition: (n, C) [m, m/s].
        window: (n, H, 6) normalised.
        remaining: (n,) steps until arrival, 0 at the goal.
        mean: (H, 6) of the entries.
        scale: (H, 6) spread of the entries; 1 where they never change.
    """

    condition: Tensor
    window: Tensor
    remaining: Tensor
    mean: Tensor
    scale: Tensor


def cut_windows(episodes: Episodes) -> Windows:
    """All windows of a data set; the end of an episode is repeated, for it stays at its goal."""
    conditions, windows, remaining = [], [], []
    for states, actions, goal in zip(
        episodes.states, episodes.actions, episodes.goals, strict=True
    ):
        T = len(actions)
        rows = np.minimum(np.arange(T)[:, None] + np.arange(HORIZON), T - 1)
        window = np.concatenate([states[rows], actions[rows]], axis=-1)
        window[..., :2] -= states[:T, None, :2]
        inside = np.linalg.norm(states[:, :2] - goal, axis=1) <= GOAL_RADIUS_M
        arrival = inside.argmax() if inside.any() else T
        conditions.append(np.concatenate([states[:T], np.tile(goal, (T, 1))], axis=1))
        windows.append(window)
        remaining.append(np.maximum(arrival - np.arange(T), 0))
    window = torch.from_numpy(np.concatenate(windows).astype(np.float32))
    mean, scale = window.mean(dim=0), window.std(dim=0)
    scale = torch.where(scale < 1e-4, 1.0, scale)
    return Windows(
        torch.from_numpy(np.concatenate(conditions).astype(np.float32)),
        (window - mean) / scale,
        torch.from_numpy(np.concatenate(remaining).astype(np.float32)),
        mean,
        scale,
    )


def places(position: Tensor) -> Tensor:
    """(..., 2) [m] -> (..., 26) waves from the size of a cell to that of a maze."""
    angle = position[..., None] * (torch.pi / torch.tensor([0.5, 1.0, 2.0, 4.0, 8.0, 16.0]))
    waves = torch.cat([angle.sin(), angle.cos()], dim=-1).flatten(-2)
    return torch.cat([position / 4, waves], dim=-1)


def features(condition: Tensor) -> Tensor:
    """(..., C) -> (..., 56) what every network of this problem reads.

    Where the goal is near, so much depends on the way to it that it is read by itself.
    """
    position, velocity, goal = condition[..., :2], condition[..., 2:4] / 2, condition[..., 4:]
    near = ((goal - position) / GOAL_RADIUS_M).clamp(-2.0, 2.0)
    return torch.cat([places(position), velocity, places(goal), near], dim=-1)


PLACES = 26
FEATURES = 2 * PLACES + 4


class WindowGenerator(nn.Module):
    """Windows from a condition and noise; the condition is encoded once for all samples."""

    def __init__(self, width: int = 256) -> None:
        super().__init__()
        self.trunk = ResidualMLP(FEATURES, width, 3)
        self.of_noise = nn.Linear(NOISE, width)
        self.branch = nn.Sequential(ResidualBlock(width), nn.LayerNorm(width), nn.SiLU())
        self.head = nn.Linear(width, HORIZON * CHANNELS)

    def forward(self, condition: Tensor, noise: Tensor) -> Tensor:
        """(B, C), (B, K, Z) -> (B, K, H * 6) normalised, given entries zero."""
        encoded = self.trunk(features(condition))[:, None]
        return self.head(self.branch(encoded + self.of_noise(noise))) * FREE


FREE = ~first_state(HORIZON, STATES, ACTIONS).flatten()
"""(H * 6,) entries that are not given."""


def train_generator(
    windows: Windows, method: Method, budget: Budget, seed: int
) -> tuple[WindowGenerator, float]:
    """Train a one-step generator; returns it and the processor time [s]."""
    torch.manual_seed(seed)
    network = WindowGenerator()
    count = SAMPLES // method.samples
    key_scale = windows.condition.std(dim=0)
    # The methods' unit: the Euclidean norm of a window is a root-mean-square error.
    unit = float(FREE.sum()) ** -0.5

    def loss(progress: float) -> Tensor:
        rows = torch.randint(len(windows.condition), (count,))
        condition = windows.condition[rows]
        noise = torch.randn(count, method.samples, NOISE) * float(method.stochastic)
        target = windows.window[rows].flatten(1) * FREE
        with torch.autocast("cpu", torch.bfloat16):
            samples = network(condition, noise)
        samples = samples.float()
        return method.loss(unit * samples, unit * target, condition / key_scale)

    trained, seconds = fit(network, loss, budget)
    assert isinstance(trained, WindowGenerator)
    return trained, seconds


def train_diffuser(windows: Windows, budget: Budget, seed: int) -> tuple[Diffuser, float]:
    """Train the Diffuser; returns it and the processor time [s]."""
    torch.manual_seed(seed)
    diffusion = Diffusion(Schedule(50), "v")
    network = MlpDenoiser(HORIZON, CHANNELS, FEATURES)
    known = first_state(HORIZON, STATES, ACTIONS)

    def loss(progress: float) -> Tensor:
        rows = torch.randint(len(windows.condition), (SAMPLES,))
        condition = features(windows.condition[rows])
        with torch.autocast("cpu", torch.bfloat16):
            return diffusion.loss(network, windows.window[rows], condition, known=known)

    trained, seconds = fit(network, loss, budget)
    return Diffuser(diffusion, trained, STATES), seconds


class Judge(nn.Module):
    """What ranks samples: steps to the goal, learned, and whether a plan can be followed.

    Args:
        windows: Data.
        maze: Whose walls count.
    """

    def __init__(self, windows: Windows, maze: Maze) -> None:
        super().__init__()
        self.value = nn.Sequential(ResidualMLP(FEATURES, 128, 2), nn.Linear(128, 1))
        self.dynamics = nn.Sequential(
            ResidualMLP(PLACES + 2 + ACTIONS, 128, 1), nn.Linear(128, STATES)
        )
        self.register_buffer("mean", windows.mean)
        self.register_buffer("scale", windows.scale)
        # Of a row's change, relative to the data's spread: what the dynamics model predicts.
        step = self.absolute(windows.window[:20_000])
        change = step[:, 1:, :STATES] - step[:, :-1, :STATES]
        self.register_buffer("change", change.flatten(0, 1).std(dim=0))
        self.register_buffer("free", torch.from_numpy(maze.free))
        self.register_buffer("residual_limit", torch.tensor(1.0))
        self.rows, self.columns = maze.free.shape

    def absolute(self, window: Tensor) -> Tensor:
        """(..., H, 6) normalised -> in [m], [m/s] and actions, positions relative."""
        return window * self.scale + self.mean

    def steps_to_go(self, condition: Tensor) -> Tensor:
        """(..., C) -> (...) steps until the controller would arrive, over 100."""
        return self.value(features(condition))[..., 0]

    def residual(self, place: Tensor, rows: Tensor) -> Tensor:
        """How badly the states of plans follow from their actions.

        Args:
            place: (..., 2) present position [m].
            rows: (..., H, 6) plans in physical units.

        Returns:
            (...) root-mean-square error in units of the data's changes.
        """
        # Every fourth row tells as much, for a quarter of the time.
        now, after = rows[..., :-1:4, :], rows[..., 1::4, :STATES]
        position = place[..., None, :] + now[..., :2]
        read = torch.cat([places(position), now[..., 2:4] / 2, now[..., 4:]], dim=-1)
        change = (after - now[..., :STATES]) / self.change
        return (self.dynamics(read) - change).square().mean(dim=(-2, -1)).sqrt()

    def collides(self, position: Tensor) -> Tensor:
        """(..., 2) [m] -> (...) bool, whether the point would touch a wall there."""
        hit = torch.zeros(position.shape[:-1], dtype=torch.bool)
        for dx, dy in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            at = position + 0.9 * WALL_M * torch.tensor([dx, dy])
            column = (at[..., 0] + self.columns / 2).floor().long().clamp(0, self.columns - 1)
            row = (self.rows / 2 - at[..., 1]).floor().long().clamp(0, self.rows - 1)
            hit |= ~self.free[row, column]
        return hit

    def cost(self, condition: Tensor, window: Tensor, feasibility: bool) -> Tensor:
        """What a plan costs; the cheapest is followed.

        Args:
            condition: (B, C).
            window: (B, K, H, 6) normalised.
            feasibility: Whether collisions and the dynamics count, and not the steps alone.

        Returns:
            (B, K).
        """
        rows = self.absolute(window)
        place = condition[:, None, :2].expand(-1, rows.shape[1], -1)
        later = rows[:, :, list(RANKED_ROWS)]
        position = place[:, :, None] + later[..., :2]
        goal = condition[:, None, None, 4:].expand_as(position)
        ahead = torch.cat([position, later[..., 2:4], goal], dim=-1)
        cost = self.steps_to_go(ahead).mean(dim=-1)
        if feasibility:
            hit = self.collides(place[:, :, None] + rows[..., :2]).float().mean(dim=-1)
            excess = (self.residual(place, rows) / self.residual_limit - 1.0).clamp_min(0.0)
            cost = cost + 5.0 * hit + excess
        return cost


def train_judge(windows: Windows, maze: Maze, budget: Budget, seed: int) -> tuple[Judge, float]:
    """Train value and dynamics together; returns both and the processor time [s]."""
    torch.manual_seed(seed)
    judge = Judge(windows, maze)

    def loss(progress: float) -> Tensor:
        rows = torch.randint(len(windows.condition), (SAMPLES,))
        condition = windows.condition[rows]
        target = windows.remaining[rows] / STEPS_UNIT
        value = nn.functional.smooth_l1_loss(judge.steps_to_go(condition), target, beta=0.1)
        some = rows[:64]
        plans = judge.absolute(windows.window[some])
        return value + judge.residual(condition[:64, :2], plans).square().mean()

    trained, seconds = fit(judge, loss, budget)
    assert isinstance(trained, Judge)
    with torch.no_grad():
        some = torch.randint(len(windows.condition), (2000,))
        residual = trained.residual(
            windows.condition[some, :2], trained.absolute(windows.window[some])
        )
        trained.residual_limit.copy_(residual.quantile(0.95))
    return trained, seconds


class Planner:
    """Samples windows, chooses, and gives the actions of the chosen one.

    Args:
        model: A trained generator or Diffuser.
        judge: What ranks, and the units of windows.
        candidates: ``K``.
        stochastic: Whether the generator reads noise.
        feasibility: Whether the ranking counts feasibility; without effect for one candidate.
        seed: Of the noise.
    """

    def __init__(
        self,
        model: WindowGenerator | Diffuser,
        judge: Judge,
        *,
        candidates: int = 1,
        stochastic: bool = True,
        feasibility: bool = False,
        seed: int = 0,
    ) -> None:
        self.model, self.judge, self.K = model, judge, candidates
        self.stochastic, self.feasibility = stochastic, feasibility
        self._drawn = torch.Generator().manual_seed(seed)

    @torch.no_grad()
    def __call__(self, condition: Tensor, steps: int) -> Tensor:
        """(B, C) -> (B, steps, 2) actions."""
        windows = self.sample(condition, self.K)
        best = torch.zeros(len(condition), dtype=torch.long)
        if self.K > 1:
            best = self.judge.cost(condition, windows, self.feasibility).argmin(dim=1)
        chosen = windows[torch.arange(len(condition)), best]
        return self.judge.absolute(chosen)[:, :steps, STATES:]

    @torch.no_grad()
    def sample(self, condition: Tensor, count: int) -> Tensor:
        """(B, C) -> (B, count, H, 6) normalised windows that begin in the present state."""
        B = len(condition)
        present = (
            torch.cat([torch.zeros(B, 2), condition[:, 2:4]], dim=1) - self.judge.mean[0, :STATES]
        ) / self.judge.scale[0, :STATES]
        if isinstance(self.model, WindowGenerator):
            noise = torch.randn(B, count, NOISE, generator=self._drawn) * float(self.stochastic)
            window = self.model(condition, noise).unflatten(-1, (HORIZON, CHANNELS))
            given = torch.zeros_like(window)
            given[:, :, 0, :STATES] = present[:, None]
            return window + given
        noise = torch.randn(B * count, HORIZON, CHANNELS, generator=self._drawn)
        return self.model.sample(
            noise,
            present.repeat_interleave(count, dim=0),
            features(condition).repeat_interleave(count, dim=0),
            steps=DDIM_STEPS,
        ).unflatten(0, (B, count))
