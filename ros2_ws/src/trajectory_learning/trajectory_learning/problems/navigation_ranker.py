"""Ranking of candidate flights, and the one-step planner as the graph that is exported.

Letters: ``K`` candidates, ``H`` samples of a window, ``L`` instants at which candidates are ranked,
``N`` rays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from trajectory_learning.problems.navigation import NavigationModel

CONTACT_M = 0.05
"""Clearances below this count as this: less than the robot's radius, and large enough for the
cancellation in the binomial formula not to be amplified by the root."""


@dataclass(frozen=True)
class RankerConfig:
    """How candidates are compared.

    Attributes:
        clearance_m: Candidates that come closer to a hit point than this are infeasible [m].
        breach_weight: What a candidate pays for each metre that any part of it comes closer: where
            none is feasible, the one that keeps the largest distance should win.
        comfort_m: Below this clearance a candidate pays [m].
        comfort_weight: What it pays, for each metre below, averaged over the window.
        feasible_s: Part of the window in which the clearance decides on feasibility [s].
        speed_limit: Speed above which a candidate is infeasible [m/s].
        end_weight: Weight of the way that is left at the end, against the mean along the window.
        arrival_weight: Cost of speed close to the goal [s].
        every: Samples between the instants that are ranked.
        value_every: Ranked instants between those at which the way to the goal is predicted: it
            changes slowly, and its network is the dearest part of the ranking.
        exposure_m: A candidate's cost, which a budget may limit, is the time that it spends closer
            to a hit point than this [m].
        brake: Whether the last of the candidates is to come to rest on a straight line: a way out
            that does not depend on what has been learned.
        brake_rate: Rate at which it slows down [1/s].
    """

    clearance_m: float = 0.20
    breach_weight: float = 20.0
    comfort_m: float = 0.40
    comfort_weight: float = 12.0
    feasible_s: float = 1.6
    speed_limit: float = 1.5
    end_weight: float = 2.0
    arrival_weight: float = 0.5
    every: int = 2
    value_every: int = 2
    exposure_m: float = 0.5
    brake: bool = True
    brake_rate: float = 2.2


class Ranking(NamedTuple):
    """Candidates, compared.

    Attributes:
        window: (3, H, 3) [m, m/s, m/s^2] position, velocity and acceleration of the winner, goal
            frame, relative to the robot.
        value: (K,) [m], larger is better.
        clearance: (K,) [m] to the nearest hit point, in the part that decides on feasibility.
        feasible: (K,) bool.
        cost: (K,) [s] time close to obstacles.
        acceleration: (K, 3, H) [m/s^2], from which every candidate follows.
    """

    window: Tensor
    value: Tensor
    clearance: Tensor
    feasible: Tensor
    cost: Tensor
    acceleration: Tensor


class NavigationRanker(nn.Module):
    """Ranks by value *and* feasibility.

    A learned ranker alone would choose the samples that it has wrongly been taught nothing about,
    such as a shortcut through an obstacle.

    Args:
        model: Its value head predicts the way that is left.
        config: How candidates are compared.
        max_range_m: Range at which a ray has hit nothing.
    """

    def __init__(self, model: NavigationModel, config: RankerConfig, max_range_m: float) -> None:
        super().__init__()
        self.model, self.config, self.max_range_m = model, config, max_range_m
        angle = torch.arange(model.rays) * (2 * torch.pi / model.rays)
        self._constant("directions", torch.stack([angle.cos(), angle.sin()]))
        network = model.network
        horizon, dt = network.horizon, network.dt_s
        self.every = slice(config.every - 1, None, config.every)
        time = network.time_s[:, 0]
        self._constant("late", (time[self.every] > config.feasible_s + 1e-6).float() * 1e3)
        decay = -config.brake_rate * torch.exp(-config.brake_rate * time)
        self._constant("brake", decay)
        # Positions and speeds at the ranked instants, in one product for all candidates.
        both = [network.to_position[self.every], network.to_velocity[self.every]]
        self._constant("to_instants", torch.cat(both).T.contiguous())
        self._constant("instants_s", time[self.every])
        self.window_s = horizon * dt

    def _constant(self, name: str, value: Tensor) -> None:
        self.register_buffer(name, value, persistent=False)

    def forward(
        self, scan: Tensor, velocity: Tensor, goal: Tensor, encoded: Tensor, acceleration: Tensor
    ) -> Ranking:
        """Rank candidates.

        Args:
            scan: (N,) [m] goal frame.
            velocity: (3,) [m/s] goal frame.
            goal: (3,) [m] relative to the robot, goal frame.
            encoded: (1, trunk_width) the condition, from the model.
            acceleration: (K, 3, H) [m/s^2].
        """
        config = self.config
        if config.brake:
            brake = (velocity[:, None] * self.brake)[None]
            acceleration = torch.cat([acceleration[:-1], brake])
        position, speed = (acceleration @ self.to_instants).chunk(2, dim=-1)
        position = position + velocity[:, None] * self.instants_s
        speed = speed + velocity[:, None]
        planar = position[:, :2].transpose(1, 2)
        gap = self.gap(scan, planar)
        planar_speed = (speed[:, :2] * speed[:, :2]).sum(dim=1).sqrt()
        value = self._value(encoded, goal, planar, position[:, 2], planar_speed[:, -1], gap)
        clearance = (gap + self.late).amin(dim=-1)
        feasible = (clearance >= config.clearance_m) & (
            planar_speed.amax(dim=-1) <= config.speed_limit
        )
        # Later parts are replanned in time and do not decide, but what runs into something pays.
        breach = (config.clearance_m - gap.amin(dim=-1)).clamp_min(0)
        value = value - config.breach_weight * breach
        cost = (gap < config.exposure_m).to(gap.dtype).mean(dim=-1) * self.window_s
        # The best feasible candidate, or the best of all where none is feasible.
        pool = feasible | ~feasible.any()
        best = torch.where(pool, value, -torch.inf).argmax(dim=0, keepdim=True)
        window = self.window(acceleration.index_select(0, best)[0], velocity)
        return Ranking(window, value, clearance, feasible, cost, acceleration)

    def gap(self, scan: Tensor, points: Tensor) -> Tensor:
        """(K, L) [m] distance from points (K, L, 2) to the nearest hit point of a scan (N,)."""
        hit = scan * self.directions
        # |p - h|^2 by the binomial formula: one product instead of a (K, L, N, 2) tensor.
        far = torch.where(scan < self.max_range_m - 1e-3, (hit * hit).sum(dim=0), 1e6)
        flat = points.flatten(0, 1)
        nearest = torch.addmm(far, flat, hit, alpha=-2.0).amin(dim=-1)
        square = (points * points).sum(dim=-1) + nearest.unflatten(0, points.shape[:2])
        return square.clamp_min(CONTACT_M**2).sqrt()

    def _value(
        self,
        encoded: Tensor,
        goal: Tensor,
        planar: Tensor,
        height: Tensor,
        last_speed: Tensor,
        gap: Tensor,
    ) -> Tensor:
        config = self.config
        points = planar[:, config.value_every - 1 :: config.value_every]
        flat = points.flatten(0, 1)
        offset = flat - goal[:2]
        straight = (offset * offset).sum(dim=-1).add(1e-6).sqrt()
        way = straight + self.model.network.distance_of_one(encoded, flat)
        way = way.unflatten(0, points.shape[:2])
        end = way[:, -1]
        arrival = torch.exp(end.clamp_min(0) * (-1 / 0.3)) * last_speed
        close = (config.comfort_m - gap).clamp_min(0).mean(dim=-1)
        cost = (
            way.mean(dim=-1)
            + config.end_weight * end
            + config.arrival_weight * arrival
            + (height - goal[2]).abs().mean(dim=-1)
            + config.comfort_weight * close
        )
        return -cost

    def window(self, acceleration: Tensor, velocity: Tensor) -> Tensor:
        """(3, H) acceleration -> (3, H, 3) position, velocity, acceleration."""
        network = self.model.network
        along = acceleration.T
        position = velocity * network.time_s + network.to_position @ along
        return torch.stack([position, velocity + network.to_velocity @ along, along])


class NavigationPlanner(nn.Module):
    """Observation in, ranked candidates out: the whole step in one graph.

    Args:
        model: The trained generator.
        ranker: How candidates are compared.
        max_range_m: Range at which a ray has hit nothing.
    """

    def __init__(self, model: NavigationModel, ranker: RankerConfig, max_range_m: float) -> None:
        super().__init__()
        self.model = model
        self.ranking = NavigationRanker(model, ranker, max_range_m)

    def forward(self, scan: Tensor, velocity: Tensor, goal: Tensor, noise: Tensor) -> Ranking:
        """Generate and rank.

        Args:
            scan: (N,) [m] goal frame.
            velocity: (3,) [m/s] goal frame.
            goal: (3,) [m] relative to the robot, goal frame.
            noise: (K, n_z).
        """
        condition = self.model.condition(scan[None], velocity[None], goal[None])
        encoded = self.model.network.encode(condition)
        acceleration = self.model.network.along_time(encoded, noise)
        return self.ranking(scan, velocity, goal, encoded, acceleration)
