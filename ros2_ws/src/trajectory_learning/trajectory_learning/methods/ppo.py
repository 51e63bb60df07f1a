"""Proximal policy optimisation, for a batch of robots that are stepped together.

**Source**: J. Schulman et al., "Proximal policy optimization algorithms", 2017, Eq. 7; "High-
dimensional continuous control using generalized advantage estimation", 2016, Eq. 16. The learning
rate follows the change of the policy, as is usual in legged locomotion (N. Rudin et al., "Learning
to walk in minutes", 2022).

Letters: ``n`` robots, ``T`` steps of an iteration, ``n_o`` numbers of an observation, ``n_u`` of an
action.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Array = NDArray[np.float64]


class Environment(Protocol):
    """Robots that are stepped together; one that has ended begins again by itself."""

    def observe(self) -> Array:
        """(n, n_o) what the policy sees."""
        ...

    def step(self, action: Array) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]:
        """Act (n, n_u): (n,) rewards, (n,) which ones failed, (n,) which ones ran out of time."""
        ...


@dataclass(frozen=True)
class PPOConfig:
    """How a policy is trained.

    Attributes:
        iterations: Of sampling and learning.
        steps: ``T``.
        epochs: Passes over the samples of an iteration.
        batches: Of a pass.
        discount: gamma.
        trace: lambda of the advantage estimate.
        clip: Range of the ratio of probabilities.
        learning_rate: At first; it is kept where an iteration changes the policy by `change`.
        change: Kullback-Leibler divergence of an iteration [nat].
        entropy: Weight of the policy's entropy.
        width: Features of both networks' layers.
        noise: Deviation of the actions at first.
        seed: Of weights, actions and batches.
    """

    iterations: int = 210
    steps: int = 24
    epochs: int = 4
    batches: int = 4
    discount: float = 0.98
    trace: float = 0.95
    clip: float = 0.2
    learning_rate: float = 1e-3
    change: float = 0.012
    entropy: float = 0.001
    width: int = 128
    noise: float = 0.5
    seed: int = 0


class Policy(nn.Module):
    """A Gaussian policy and its value function.

    Args:
        observations: ``n_o``.
        actions: ``n_u``.
        width: Features of a layer.
        noise: Deviation of the actions at first.
    """

    mean: Tensor
    variance: Tensor
    count: Tensor

    def __init__(self, observations: int, actions: int, width: int, noise: float) -> None:
        super().__init__()
        self.actor, self.critic = (
            _layers(observations, actions, width),
            _layers(observations, 1, width),
        )
        with torch.no_grad():
            # The first actions are those of no policy: what it corrects is left as it is.
            self.actor[-1].weight *= 0.01
        self.log_noise = nn.Parameter(torch.full((actions,), math.log(noise)))
        self.register_buffer("mean", torch.zeros(observations))
        self.register_buffer("variance", torch.ones(observations))
        self.register_buffer("count", torch.tensor(1e-2))

    @torch.no_grad()
    def follow(self, observation: Tensor) -> None:
        """Let the normalisation follow a batch of observations (B, n_o)."""
        total = self.count + len(observation)
        share = len(observation) / total
        change = observation.mean(dim=0) - self.mean
        spread = observation.var(dim=0, unbiased=False)
        self.variance += share * (spread - self.variance + (1 - share) * change**2)
        self.mean += share * change
        self.count.copy_(total)

    def normalised(self, observation: Tensor) -> Tensor:
        """(B, n_o) at zero mean and unit spread, within +-10."""
        return ((observation - self.mean) / (self.variance + 1e-4).sqrt()).clamp(-10.0, 10.0)

    def forward(self, observation: Tensor) -> Tensor:
        """(B, n_o) -> (B, n_u) the most likely action."""
        return self.actor(self.normalised(observation))

    def value(self, observation: Tensor) -> Tensor:
        """(B, n_o) -> (B,) discounted reward to come."""
        return self.critic(self.normalised(observation)).squeeze(-1)

    @torch.no_grad()
    def act(self, observation: Array) -> Array:
        """(n, n_o) -> (n, n_u) the most likely action, for whoever has no tensors."""
        return self(torch.from_numpy(observation).float()).double().numpy()


@dataclass(frozen=True)
class Progress:
    """What an iteration came to.

    Attributes:
        iteration: Its number, from 1.
        reward: Mean of a step.
        failures: Share of steps that failed.
        change: Of the policy [nat].
    """

    iteration: int
    reward: float
    failures: float
    change: float


def train(
    environment: Environment,
    policy: Policy,
    config: PPOConfig,
    report: Callable[[Progress], None] = lambda _: None,
) -> None:
    """Train a policy in place.

    Args:
        environment: The robots.
        policy: The policy.
        config: How.
        report: Called after each iteration.
    """
    torch.manual_seed(config.seed)
    optimiser = torch.optim.Adam(policy.parameters(), lr=config.learning_rate)
    rate = config.learning_rate
    for iteration in range(1, config.iterations + 1):
        samples, reward, failures = _sample(environment, policy, config)
        change = 0.0
        for group in optimiser.param_groups:
            group["lr"] = rate
        rows = len(samples[0])
        for _ in range(config.epochs):
            for chosen in torch.randperm(rows).chunk(config.batches):
                loss, change = _loss(policy, [s[chosen] for s in samples], config)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
                optimiser.step()
        if change > 2 * config.change:
            rate = max(rate / 1.5, 1e-5)
        elif change < config.change / 2:
            rate = min(rate * 1.5, 3e-3)
        report(Progress(iteration, reward, failures, change))


def _layers(inputs: int, outputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, width), nn.ELU(), nn.Linear(width, width), nn.ELU(),
        nn.Linear(width, outputs),
    )  # fmt: skip


@torch.no_grad()
def _sample(
    environment: Environment, policy: Policy, config: PPOConfig
) -> tuple[list[Tensor], float, float]:
    """Observations, actions, their means and log-probabilities, advantages and returns, flat."""
    seen, acted, means, likely, values, rewards, ends = [], [], [], [], [], [], []
    failures = 0.0
    noise = policy.log_noise.exp()
    for _ in range(config.steps):
        observation = torch.from_numpy(environment.observe()).float()
        policy.follow(observation)
        mean = policy(observation)
        action = mean + noise * torch.randn_like(mean)
        reward, failed, over = environment.step(action.double().numpy())
        value = policy.value(observation)
        # What time cut off would have gone on as it was.
        reward = reward + config.discount * value.double().numpy() * (over & ~failed)
        failures += float(failed.mean()) / config.steps
        for kept, item in zip(
            (seen, acted, means, likely, values, rewards, ends),
            (
                observation, action, mean, _log_probability(action, mean, policy.log_noise), value,
                torch.from_numpy(reward).float(), torch.from_numpy(failed | over).float(),
            ),
            strict=True,
        ):  # fmt: skip
            kept.append(item)
    following = policy.value(torch.from_numpy(environment.observe()).float())
    advantage, advantages = torch.zeros_like(following), []
    for value, reward, end in reversed(list(zip(values, rewards, ends, strict=True))):
        surprise = reward + config.discount * following * (1 - end) - value
        advantage = surprise + config.discount * config.trace * (1 - end) * advantage
        advantages.append(advantage)
        following = value
    advantages.reverse()
    returns = [a + v for a, v in zip(advantages, values, strict=True)]
    flat = [torch.cat(kept) for kept in (seen, acted, means, likely, advantages, returns)]
    flat[4] = (flat[4] - flat[4].mean()) / (flat[4].std() + 1e-6)
    return flat, float(torch.cat(rewards).mean()), failures


def _loss(policy: Policy, batch: list[Tensor], config: PPOConfig) -> tuple[Tensor, float]:
    observation, action, mean_before, likely_before, advantage, returns = batch
    mean = policy(observation)
    likely = _log_probability(action, mean, policy.log_noise)
    ratio = (likely - likely_before).exp()
    bounded = ratio.clamp(1 - config.clip, 1 + config.clip)
    gain = torch.minimum(ratio * advantage, bounded * advantage).mean()
    error = (policy.value(observation) - returns).square().mean()
    entropy = policy.log_noise.sum()
    moved = (mean.detach() - mean_before) / policy.log_noise.detach().exp()
    change = 0.5 * float(moved.square().sum(dim=-1).mean())
    return error * 0.5 - gain - config.entropy * entropy, change


def _log_probability(action: Tensor, mean: Tensor, log_noise: Tensor) -> Tensor:
    scaled = (action - mean) / log_noise.exp()
    return -(0.5 * scaled.square() + log_noise).sum(dim=-1)
