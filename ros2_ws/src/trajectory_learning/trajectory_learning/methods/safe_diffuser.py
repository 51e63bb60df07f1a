"""SafeDiffuser: a barrier over the diffusion steps keeps sampled states within limits.

Sampling is seen as a motion along the levels, and each step is changed as little as the barrier
condition b(x^j) >= (1 - rate) b(x^k) demands. For limits on single channels that quadratic program
is a clamp. A window that begins outside comes inside within finitely many steps; at level 0 the
limits hold. Nothing looks at the dynamics: the actions of a projected plan need not lead to its
states.

**Source**: W. Xiao et al., "SafeDiffuser: safe planning with diffusion probabilistic models", 2023,
the robust-safe diffuser, Eqs. 9 to 12, in discrete form.

Letters: ``B`` windows, ``H`` samples of each, ``D`` channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class BarrierProjection:
    """A hook of `Diffusion.sample`.

    Attributes:
        low: Lowest values, of a shape that broadcasts to (B, H, D); -inf where there is none.
        high: Highest values.
        rate: Share of a violation that a step must remove, in (0, 1].
    """

    low: Tensor
    high: Tensor
    rate: float = 0.5

    def __call__(self, before: Tensor, after: Tensor, level: int) -> Tensor:
        """Change a step as little as the barriers demand.

        Args:
            before: (B, H, D) window before the step.
            after: (B, H, D) window after it.
            level: Level reached.

        Returns:
            (B, H, D) the projected window.
        """
        # The last step removes what is left: the sampled window keeps its limits.
        left = 0.0 if level == 0 else 1.0 - self.rate
        below = torch.minimum(before, self.low)
        above = torch.maximum(before, self.high)
        return torch.clamp(
            after,
            self.low + _share(below - self.low, left),
            self.high + _share(above - self.high, left),
        )


def _share(violation: Tensor, left: float) -> Tensor:
    # An absent limit is infinite, and inf - inf is no number.
    return left * torch.nan_to_num(violation, nan=0.0)
