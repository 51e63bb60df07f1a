"""What the robot reports, sample by sample, and how much of it arrives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from go2_bridge import wire

PERIOD_MS: Final = 2
"""Of LowState."""
GREATEST_GAP_MS: Final = 10_000
"""A longer gap, or a clock that runs back, is a robot that has restarted."""
FARTHEST_RAD: Final = 2 * np.pi
"""No joint turns by more."""
_WINDOW_NS: Final = 1_000_000_000


@dataclass(slots=True)
class Reception:
    """LowStates since the bridge began.

    Attributes:
        received: Good ones.
        lost: Missing ones, by the gaps in the robot's clock.
        bad_crc: Ignored for their checksum.
        malformed: Ignored for their size.
        absurd: Ignored for numbers that no robot measures.
        restarts: Times that the robot's clock began anew.
    """

    received: int = 0
    lost: int = 0
    bad_crc: int = 0
    malformed: int = 0
    absurd: int = 0
    restarts: int = 0


class Telemetry:
    """Takes samples as they arrive, all in the executor's thread.

    Args:
        steady_ns: The host's steady clock.
        on_restart: Called when the robot has restarted, before anything is done with the sample.

    Attributes:
        reception: How much has arrived.
        state: The newest good sample.
        sport: The newest state of the built-in locomotion.
    """

    def __init__(
        self, steady_ns: Callable[[], int], on_restart: Callable[[], None] = lambda: None
    ) -> None:
        self._steady_ns = steady_ns
        self._on_restart = on_restart
        self.reception = Reception()
        self.state: wire.LowState | None = None
        self.sport: wire.SportState | None = None
        self._received_ns = steady_ns()
        self._window_ns = steady_ns()
        self._window = Reception()
        self._quality = 0.0

    @property
    def age_s(self) -> float:
        """Time since the last good sample, or since the beginning [s]."""
        return (self._steady_ns() - self._received_ns) * 1e-9

    @property
    def quality(self) -> float:
        """Share of samples that arrived intact, in the last full second of them."""
        stale = self._steady_ns() - self._received_ns > _WINDOW_NS
        return 0.0 if stale else self._quality

    def receive(self, payload: bytes) -> wire.LowState | None:
        """Take a LowState; None where it is damaged, which counts as not heard."""
        if not wire.is_low_state(payload):
            self.reception.malformed += 1
            return None
        if not wire.low_state_is_intact(payload):
            self.reception.bad_crc += 1
            return None
        state = wire.decode_low_state(payload)
        if not _is_plausible(state):
            self.reception.absurd += 1
            return None
        if self.state is not None:
            gap_ms = (state.tick_ms - self.state.tick_ms) & 0xFFFFFFFF
            if gap_ms > GREATEST_GAP_MS:
                self.reception.restarts += 1
                self._on_restart()
            else:
                self.reception.lost += max(0, gap_ms // PERIOD_MS - 1)
        self.reception.received += 1
        self.state, self._received_ns = state, self._steady_ns()
        self._judge()
        return state

    def receive_sport(self, payload: bytes) -> wire.SportState | None:
        """Take a state of the built-in locomotion; None where it is damaged."""
        sport = wire.decode_sport_state(payload)
        if sport is not None:
            self.sport = sport
        return sport

    def _judge(self) -> None:
        """Once a second: which share has arrived."""
        if self._received_ns - self._window_ns < _WINDOW_NS and self._quality:
            return
        received = self.reception.received - self._window.received
        lost = self.reception.lost - self._window.lost
        self._quality = received / max(1, received + lost)
        self._window_ns = self._received_ns
        self._window.received, self._window.lost = self.reception.received, self.reception.lost


def _is_plausible(state: wire.LowState) -> bool:
    """Whether motion may be built on a sample: the ramp that stands up begins at its joints.

    A quaternion that nobody filled in is zero, and would count as upright.
    """
    measured = (state.q, state.dq, state.torque, state.quaternion, state.rates, state.acceleration)
    return (
        all(bool(np.isfinite(values).all()) for values in measured)
        and bool((np.abs(state.q) <= FARTHEST_RAD).all())
        and 0.5 < float(np.linalg.norm(state.quaternion)) < 2.0
    )
