"""The diffusion planners over one data set: trained alike, asked alike.

Every member gets the same windows, the same network and the same processor time, and answers the
same question: from a state and a task to plans in physical units. MPDiffuser consists of two
members, its planner and its dynamics model; the comparisons of its paper do not charge it for the
second, so there is also a planner with the time of two.

Letters: ``n`` windows of the data, ``B`` plans, ``H`` samples of each, ``n_x`` states, ``n_u``
actions, ``n_y`` numbers of a task.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from planner_core.errors import InvalidParameterError
from torch import Tensor, nn
from trajectory_learning.methods.decision_diffuser import DecisionDiffuser, InverseDynamics
from trajectory_learning.methods.diffuser import Diffuser, first_state
from trajectory_learning.methods.diffusion import Diffusion, Hook, Schedule
from trajectory_learning.methods.diffusion_training import FitConfig, fit
from trajectory_learning.methods.mpdiffuser import MPDiffuser
from trajectory_learning.methods.plan_tracking import PlanTracking
from trajectory_learning.methods.post_hoc_filter import PostHocFilter, given_actions
from trajectory_learning.networks.denoisers import MlpDenoiser
from trajectory_learning.networks.forward_model import ForwardModel
from trajectory_learning.networks.residual_mlp import ResidualMLP
from trajectory_learning.networks.temporal_unet import TemporalUnet
from trajectory_learning.networks.transformer import Transformer

NETWORKS = ("mlp", "unet", "transformer")

PARTS: Mapping[str, tuple[str, ...]] = {
    "planner": ("planner",),
    "longer_planner": ("longer_planner",),
    "alternating": ("planner", "dynamics"),
    "joint": ("planner", "dynamics"),
    "tracked": ("planner", "forward"),
    "tracked_in_doubt": ("planner", "forward"),
    "post_hoc_filter": ("planner", "imagination"),
    "diffuser": ("diffuser",),
    "decision_diffuser": ("states", "inverse"),
    "behaviour_cloning": ("cloning",),
}
"""The networks that each method consists of."""


@dataclass(frozen=True)
class Windows:
    """Windows of the data, in physical units.

    Attributes:
        state: (n, n_x) present state.
        task: (n, n_y) what was achieved, which is what will be asked for.
        states: (n, H, n_x) states that followed.
        actions: (n, H, n_u) actions, the first taken in the present state.
    """

    state: Tensor
    task: Tensor
    states: Tensor
    actions: Tensor

    def __len__(self) -> int:
        return len(self.state)


class Scaling:
    """To zero mean and unit spread, channel by channel, and back.

    Args:
        values: (..., channels) data.
    """

    def __init__(self, values: Tensor) -> None:
        flat = values.flatten(0, -2)
        self.mean = flat.mean(dim=0)
        # A channel that never changes stays as it is.
        self.std = torch.where(flat.std(dim=0) > 1e-6, flat.std(dim=0), 1.0)
        scaled = self(flat)
        self.low, self.high = scaled.min(dim=0).values, scaled.max(dim=0).values

    def __call__(self, values: Tensor) -> Tensor:
        """Physical to normalised."""
        return (values - self.mean) / self.std

    def back(self, values: Tensor) -> Tensor:
        """Normalised to physical."""
        return values * self.std + self.mean


@dataclass(frozen=True)
class FamilyConfig:
    """What the members have in common.

    Attributes:
        network: "mlp", "unet" or "transformer".
        width: Features of the network.
        blocks: Blocks of an MLP or a transformer.
        levels: ``T``.
        prediction: "x0", "v" or "epsilon".
        drop: Probability with which a task is withheld.
        fit: Training of each network.
        single_steps: Training of the models of single steps, forward and inverse dynamics, where
            it is not `fit`; its seed is that of `fit`.
        forward_width: Features of the forward model.
    """

    network: str = "mlp"
    width: int = 192
    blocks: int = 3
    levels: int = 50
    prediction: str = "x0"
    drop: float = 0.25
    fit: FitConfig = field(default_factory=FitConfig)
    single_steps: FitConfig | None = None
    forward_width: int = 64

    def __post_init__(self) -> None:
        if self.network not in NETWORKS:
            raise InvalidParameterError(
                "unknown network", got=self.network, expected=", ".join(NETWORKS)
            )


@dataclass(frozen=True)
class Sampling:
    """How plans are drawn.

    Attributes:
        steps: Denoising steps.
        guidance_scale: omega.
        temperature: alpha of Algorithm 1, variance of all noise.
        ancestral: DDPM steps; otherwise DDIM.
        warm_start_steps: The last so many of the steps, where there is a plan to begin near
            (App. G).
    """

    steps: int = 10
    guidance_scale: float = 1.0
    temperature: float = 1.0
    ancestral: bool = False
    warm_start_steps: int = 0


@dataclass(frozen=True)
class Lesson:
    """What a network is taught.

    Attributes:
        network: The network.
        data: Tensors of the same first length.
        loss: From the network and a batch of the data to its loss.
    """

    network: nn.Module
    data: tuple[Tensor, ...]
    loss: Callable[[nn.Module, tuple[Tensor, ...]], Tensor]


def _regression(network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    return (network(batch[0]) - batch[1]).square().mean()


def _own_loss(network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    return network.loss(*batch)


def left_of(plans: tuple[Tensor, Tensor], executed: int) -> tuple[Tensor, Tensor]:
    """What is left of plans (B, H, ...), filled up to ``H``.

    Beyond its end a plan says nothing: its last sample is repeated.
    """
    states, actions = (
        torch.cat([p[:, executed:], p[:, -1:].expand(-1, executed, -1)], dim=1) for p in plans
    )
    return states, actions


class Family:
    """Trains members as they are asked for.

    Args:
        windows: Data of the planners.
        config: What they have in common.
        dynamics_windows: Data of dynamics models, where it is not that of the planners.
    """

    def __init__(
        self, windows: Windows, config: FamilyConfig, dynamics_windows: Windows | None = None
    ) -> None:
        self.windows, self.config = windows, config
        self.dynamics_windows = windows if dynamics_windows is None else dynamics_windows
        # One scaling for both, or the two networks of MPDiffuser would not speak of the same noise.
        both = (windows, self.dynamics_windows)
        self.of_states = Scaling(torch.cat([w.states.flatten(0, 1) for w in both]))
        self.of_actions = Scaling(torch.cat([w.actions.flatten(0, 1) for w in both]))
        self.of_task = Scaling(torch.cat([w.task for w in both]))
        self.diffusion = Diffusion(Schedule(config.levels), config.prediction)
        self.horizon, self.n_x = windows.states.shape[1:]
        self.n_u, self.n_y = windows.actions.shape[2], windows.task.shape[1]
        self.train_cpu_s: dict[str, float] = {}
        self._trained: dict[str, nn.Module] = {}
        self._trackings: dict[tuple[str, int], PlanTracking] = {}

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """What is trained, by part."""
        return self._trained

    def train(self, method: str, progress: bool = False) -> float:
        """Train what a method consists of; what is trained already stays.

        Returns:
            Processor time that its networks took [s].
        """
        if method not in PARTS:
            raise InvalidParameterError("unknown method", got=method, expected=", ".join(PARTS))
        for part in PARTS[method]:
            if part not in self._trained:
                self._train_part(part, progress)
        return sum(self.train_cpu_s[part] for part in PARTS[method])

    def fine_tuned(self, parts: Sequence[str], windows: Windows, fitting: FitConfig) -> Family:
        """This family after some of its trained networks have gone on training on other data.

        The scaling stays, and so does what tracking knows of the planner's error: all that is new
        is what these networks have learnt.

        Args:
            parts: Networks, values of `PARTS`, trained before.
            windows: The other data.
            fitting: Training of each network.

        Returns:
            Another family, whose processor time of these networks is that of this training alone.
        """
        tuned, source = copy.copy(self), copy.copy(self)
        tuned._trained, tuned.train_cpu_s = dict(self._trained), dict(self.train_cpu_s)
        tuned._trackings = {}
        source.windows = source.dynamics_windows = windows
        for part in parts:
            lesson = source._lesson(part)
            network = copy.deepcopy(self._trained[part]).requires_grad_(True)
            trained, report = fit(network, lesson.loss, lesson.data, fitting)
            tuned._trained[part], tuned.train_cpu_s[part] = trained, report.cpu_s
        return tuned

    @torch.no_grad()
    def plan(
        self,
        method: str,
        state: Tensor,
        task: Tensor,
        generator: torch.Generator,
        sampling: Sampling,
        hook: Hook | None = None,
        previous: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Plans of a trained method.

        Args:
            method: Key of `PARTS`.
            state: (B, n_x) present state.
            task: (B, n_y).
            generator: Source of all noise.
            sampling: How.
            hook: See `Diffusion.sample`; over normalised windows of an MPDiffuser or its planner.
            previous: (B, H, n_x) states and (B, H, n_u) actions to begin near, from the present
                state on: what is `left_of` the plans before.

        Returns:
            (B, H, n_x) states that follow, (B, H, n_u) actions.
        """
        x0 = self.of_states(state)
        condition = torch.cat([x0, self.of_task(task)], dim=-1)
        if method == "behaviour_cloning":
            flat = self._trained["cloning"](condition)
            return self._split(flat.unflatten(-1, (self.horizon, self.n_x + self.n_u)))
        channels = self.n_x if method == "decision_diffuser" else self.n_x + self.n_u
        spread = sampling.temperature**0.5
        shape = (len(state), self.horizon, channels)
        noise = spread * torch.randn(shape, generator=generator)
        steps, level, start = sampling.steps, self.config.levels, None
        if previous is not None and sampling.warm_start_steps:
            steps = sampling.warm_start_steps
            level = round(level * steps / sampling.steps)
            start = self._rows(x0, *previous, method)
        drawn = None
        if sampling.ancestral:
            drawn = spread * torch.randn((steps, *shape), generator=generator)
        options = {
            "steps": steps,
            "start": start,
            "start_level": level,
            "guidance_scale": sampling.guidance_scale,
            "clip": self.clip(channels),
            "step_noise": drawn,
        }
        if method == "diffuser":
            diffuser = Diffuser(self.diffusion, self._trained["diffuser"], self.n_x)
            plans = diffuser.sample(noise, x0, condition[:, self.n_x :], **options)
            # Its rows are (x_t, u_t): the states move up, and the last, which it does not plan,
            # is repeated.
            following = torch.cat([plans[:, 1:, : self.n_x], plans[:, -1:, : self.n_x]], dim=1)
            plans = torch.cat([following, plans[..., self.n_x :]], dim=-1)
        elif method == "decision_diffuser":
            inverse = self._trained["inverse"]
            decision = DecisionDiffuser(self.diffusion, self._trained["states"], inverse, self.n_x)
            plans = decision.sample(noise, condition, **options)
        elif method in ("tracked", "tracked_in_doubt"):
            planner = MPDiffuser(self.diffusion, self._trained["planner"], coupling="planner")
            proposals = planner.sample(noise, condition, **options, hook=hook)
            plans = self._tracking(method, steps, level).follow(x0, proposals)
        elif method == "post_hoc_filter":
            planner = MPDiffuser(self.diffusion, self._trained["planner"], coupling="planner")
            proposals = planner.sample(noise, condition, **options, hook=hook)
            judge = PostHocFilter(self.diffusion, self._trained["imagination"])
            other = spread * torch.randn((*shape[:2], self.n_x), generator=generator)
            plans = judge.imagine(
                proposals[..., self.n_x :],
                other,
                condition,
                steps=sampling.steps,
                clip=options["clip"],
            )
        else:
            alone = method in ("planner", "longer_planner")
            mpdiffuser = MPDiffuser(
                self.diffusion,
                self._trained["longer_planner" if method == "longer_planner" else "planner"],
                self._trained.get("dynamics"),
                coupling="planner" if alone else method,
            )
            plans = mpdiffuser.sample(noise, condition, **options, hook=hook)
        return self._split(plans)

    def clip(self, channels: int) -> tuple[Tensor, Tensor]:
        """Range of the first channels of a window, normalised: ((channels,), (channels,))."""
        low = torch.cat([self.of_states.low, self.of_actions.low])
        high = torch.cat([self.of_states.high, self.of_actions.high])
        return low[:channels], high[:channels]

    def _tracking(self, method: str, steps: int, begin: int) -> PlanTracking:
        """Tracking of plans sampled in so many steps from a level, made once."""
        level, _ = self.diffusion.levels(steps, begin)[-1]
        if (method, level) not in self._trackings:
            variance = self._planner_variance(level)
            low, high = self.clip(self.n_x + self.n_u)
            self._trackings[method, level] = PlanTracking(
                self._trained["forward"],
                variance[:, : self.n_x],
                variance[:, self.n_x :],
                (low[self.n_x :], high[self.n_x :]),
                self._forward_variance() if method == "tracked_in_doubt" else None,
            )
        return self._trackings[method, level]

    def _forward_variance(self, count: int = 2048) -> Tensor:
        """(n_x,) mean squared error of the forward model's steps."""
        windows = self.dynamics_windows
        draw = torch.Generator().manual_seed(0)
        rows = torch.randint(len(windows), (count,), generator=draw)
        plans, condition = (part[rows] for part in self._plans(windows))
        states, actions = plans.split([self.n_x, self.n_u], dim=-1)
        before = torch.cat([condition[:, None, : self.n_x], states[:, :-1]], dim=1)
        missed = self._trained["forward"](before, actions) - states
        return missed.square().mean(dim=(0, 1))

    def _planner_variance(self, level: int, count: int = 4096) -> Tensor:
        """(H, n_x + n_u) mean squared error of the planner's clean windows at a level."""
        draw = torch.Generator().manual_seed(0)
        rows = torch.randint(len(self.windows), (count,), generator=draw)
        plans, condition = (part[rows] for part in self._plans(self.windows))
        noisy = self.diffusion.noised(plans, level, torch.randn(plans.shape, generator=draw))
        seen = self.diffusion.predict_clean(self._trained["planner"], noisy, level, condition)
        return (seen - plans).square().mean(dim=0).clamp_min(1e-6)

    def _plans(self, windows: Windows) -> tuple[Tensor, Tensor]:
        """(n, H, n_x + n_u) normalised windows and (n, n_x + n_y) their conditions."""
        plans = torch.cat([self.of_states(windows.states), self.of_actions(windows.actions)], -1)
        return plans, torch.cat([self.of_states(windows.state), self.of_task(windows.task)], -1)

    def _rows(self, x0: Tensor, states: Tensor, actions: Tensor, method: str) -> Tensor:
        """Plans in physical units, normalised, in the rows that a method draws."""
        seen, done = self.of_states(states), self.of_actions(actions)
        if method == "decision_diffuser":
            return seen
        if method == "diffuser":
            seen = torch.cat([x0[:, None], seen[:, :-1]], dim=1)
        return torch.cat([seen, done], dim=-1)

    def _split(self, plans: Tensor) -> tuple[Tensor, Tensor]:
        states, actions = plans.split([self.n_x, self.n_u], dim=-1)
        return self.of_states.back(states), self.of_actions.back(actions)

    def _train_part(self, part: str, progress: bool) -> None:
        torch.manual_seed(self.config.fit.seed)
        lesson = self._lesson(part)
        config = self.config.fit
        if part in ("forward", "inverse") and self.config.single_steps:
            config = replace(self.config.single_steps, seed=config.seed)
        if part == "forward":
            # Its error adds up over a window: no low precision here.
            config = replace(config, bf16=False)
        elif part == "longer_planner":
            config = replace(config, seconds=2 * config.seconds, steps=2 * config.steps)
        trained, report = fit(lesson.network, lesson.loss, lesson.data, config, progress)
        self._trained[part], self.train_cpu_s[part] = trained, report.cpu_s

    def _lesson(self, part: str) -> Lesson:
        of_dynamics = part in ("dynamics", "imagination", "forward")
        windows = self.dynamics_windows if of_dynamics else self.windows
        plans, condition = self._plans(windows)
        n_x, n_u = self.n_x, self.n_u
        states, actions = plans[..., :n_x], plans[..., n_x:]
        state, task = condition[:, :n_x], condition[:, n_x:]
        before = torch.cat([state[:, None], states[:, :-1]], dim=1)
        step = (before.flatten(0, 1), actions.flatten(0, 1), states.flatten(0, 1))
        if part == "cloning":
            width = self.config.width
            network = nn.Sequential(
                ResidualMLP(condition.shape[1], width, self.config.blocks),
                nn.Linear(width, plans[0].numel()),
            )
            return Lesson(network, (condition, plans.flatten(1)), _regression)
        if part == "inverse":
            x, u, following = step
            return Lesson(InverseDynamics(n_x, n_u), (x, following, u), _own_loss)
        if part == "forward":
            change = (step[2] - step[0]).std(dim=0).clamp_min(1e-6)
            model = ForwardModel(n_x, n_u, change, self.config.forward_width)
            return Lesson(model, step, _own_loss)
        if part == "diffuser":
            rows = torch.cat([before, actions], dim=-1)
            network = self._denoiser(n_x + n_u, task.shape[1], 0, n_x + n_u)
            return self._denoising(network, (rows, task), first_state(self.horizon, n_x, n_u))
        if part == "states":
            network = self._denoiser(n_x, condition.shape[1], n_x, n_x)
            return self._denoising(network, (states, condition))
        outputs = n_x if of_dynamics else n_x + n_u
        network = self._denoiser(n_x + n_u, condition.shape[1], n_x, outputs)
        known = given_actions(self.horizon, n_x, n_u) if part == "imagination" else None
        return self._denoising(network, (plans, condition), known)

    def _denoising(
        self, network: nn.Module, data: tuple[Tensor, ...], known: Tensor | None = None
    ) -> Lesson:
        def loss(network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
            return self.diffusion.loss(network, *batch, known=known, drop=self.config.drop)

        return Lesson(network, data, loss)

    def _denoiser(self, channels: int, condition: int, always: int, outputs: int) -> nn.Module:
        config = self.config
        options = {"always": always, "outputs": outputs, "width": config.width}
        if config.network == "mlp":
            options |= {"blocks": config.blocks, "embedding": 64}
            return MlpDenoiser(self.horizon, channels, condition, **options)
        if config.network == "unet":
            return TemporalUnet(channels, condition, **options)
        options["blocks"] = config.blocks
        return Transformer(self.horizon, channels, condition, **options)
