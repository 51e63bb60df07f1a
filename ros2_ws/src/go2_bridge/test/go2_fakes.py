"""A robot made of two answers and a state, for rules that need no physics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from go2_bridge.control import ControlSettings, Surroundings
from go2_bridge.joint_control import STANDING_RAD
from go2_bridge.readiness import Limits
from go2_bridge.requests import Function, Requests, Sport, Switcher
from go2_bridge.telemetry import Telemetry
from go2_bridge.wire import LowState
from planner_core.clock import ManualClock
from rclpy.serialization import deserialize_message
from robot_simulation.go2 import wire as robot_wire
from unitree_go.msg import LowCmd

SETTINGS = ControlSettings(
    limits=Limits(link_s=0.2, link_quality=0.5, charge=0.2, moving_charge=0.1, tilt_rad=1.0),
    kp=60.0, kd=5.0, damping=4.0, ramp_s=1.0, mode="normal", velocity_timeout_s=0.2,
)  # fmt: skip
UPRIGHT = np.array([1.0, 0.0, 0.0, 0.0])
ON_ITS_SIDE = np.array([1.0, 1.0, 0.0, 0.0]) / np.sqrt(2.0)


def low_state(
    tick: int, *, wrong_crc: bool = False, quaternion: np.ndarray = UPRIGHT, q: float = 0.0
) -> bytes:
    """A LowState as the simulated robot's codec writes it; ``q`` is that of the last joint."""
    state = robot_wire.new_low_state()
    state["tick"], state["imu_state"]["quaternion"] = tick, quaternion
    state["motor_state"]["q"][0, 11] = q
    state["crc"] = robot_wire.crc(state.tobytes()) ^ wrong_crc
    return robot_wire.encode_low_state(state)


class FakeGo2:
    """What a control works with; answers each request at once unless it is deaf.

    Attributes:
        mode: The active mode of the built-in locomotion.
        asked: Functions that were called, in order.
        told: Functions that were called without wanting an answer.
        written: LowCmds.
        codes: Codes with which functions refuse.
        deaf: Whether requests are not answered.
        silent: Whether no samples come.
    """

    def __init__(self, mode: str = "") -> None:
        self.clock = ManualClock(steady_ns=10**9)
        self.mode = mode
        self.asked: list[Function] = []
        self.told: list[tuple[Function, str]] = []
        self.written: list[LowCmd] = []
        self.payloads: list[bytes] = []
        self.codes: dict[Function, int] = {}
        self.deaf = self.silent = False
        self.log: list[str] = []
        self.q, self.dq = np.zeros(12), np.zeros(12)
        self.quaternion, self.charge = UPRIGHT, 0.9
        self.telemetry = Telemetry(self.clock.steady_ns)
        self._tick = 0
        self._answers: list[tuple[int, int, str]] = []
        self.requests = Requests(self._send, self.clock)

    @property
    def surroundings(self) -> Surroundings:
        """For a control."""
        return Surroundings(
            self.telemetry, self.requests, lambda: SETTINGS, self.clock, self._write,
            self.log.append,
        )  # fmt: skip

    def live(self, seconds: float) -> None:
        """Let time pass, in which samples and answers come."""
        for _ in range(round(seconds / 0.01)):
            self.clock.advance(0.01)
            self._tick += 2
            if not self.silent:
                self.telemetry.receive(low_state(self._tick))
                assert self.telemetry.state is not None
                self.telemetry.state = self._sample(self.telemetry.state)
            answers, self._answers = self._answers, []
            for answer in answers:
                self.requests.answer(*answer)

    def stand(self) -> None:
        """Have the joints at the standing posture."""
        self.q = STANDING_RAD.copy()

    def _sample(self, state: LowState) -> LowState:
        return replace(
            state, q=self.q.copy(), dq=self.dq.copy(), quaternion=self.quaternion,
            charge=self.charge,
        )  # fmt: skip

    def _send(self, number: int, function: Function, parameter: str, reply: bool) -> None:
        if not reply:
            self.told.append((function, parameter))
            return
        self.asked.append(function)
        # The service of the built-in locomotion is not there without a mode.
        if self.deaf or (isinstance(function, Sport) and not self.mode):
            return
        code, data = self.codes.get(function, 0), ""
        if function is Switcher.CHECK_MODE:
            data = f'{{"form": "0", "name": "{self.mode}"}}'
        elif function is Switcher.RELEASE_MODE and code == 0:
            self.mode = ""
        elif function is Switcher.SELECT_MODE and code == 0:
            self.mode = "normal"
        self._answers.append((number, code, data))

    def _write(self, payload: bytes) -> None:
        self.payloads.append(payload)
        self.written.append(deserialize_message(payload, LowCmd))
