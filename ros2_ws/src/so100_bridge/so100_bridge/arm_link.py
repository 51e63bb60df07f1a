"""The connection to one arm: opened, watched, mended, and used from a thread of its own.

Every exchange on the serial line blocks, so one thread owns it: each period it reads all servos,
decides, and writes goals. Whoever wants something of the arm leaves a wish and goes on.

The torque is switched by wishes alone. A lost link, a process that ends or dies, an exception: the
servos keep their goals and hold the arm.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from planner_core.clock import Clock, seconds
from planner_core.errors import (
    DriftpilotError,
    LinkLostError,
    RobotConnectionError,
    RobotFaultError,
)
from planner_core.robot import Robot

from so100_bridge.arm_state import Activity, ArmControl, ArmSettings
from so100_bridge.calibration import Calibration
from so100_bridge.motion import Array
from so100_bridge.servos import Reading, Servos

FIRST_BACKOFF_S: Final = 0.25
LAST_BACKOFF_S: Final = 2.0
_QUALITY_WINDOW: Final = 100


class LinkStatus(Enum):
    """How far the connection is."""

    CONNECTING = "connecting"
    UP = "up"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class LinkReport:
    """The arm and its connection at one moment.

    Attributes:
        status: How far the connection is.
        activity: What the arm is doing, as far as this side knows.
        reading: Of all servos, the newest; None before the first.
        steady_ns: When it was made [ns].
        quality: Share of reads that brought an answer, of the latest.
        error: Why the link is not up, or what is wrong with the arm.
        position: (n_q,) of the joints [rad]; None before the first reading.
    """

    status: LinkStatus = LinkStatus.CONNECTING
    activity: Activity = Activity.LIMP
    reading: Reading | None = None
    steady_ns: int = 0
    quality: float = 1.0
    error: DriftpilotError | None = None
    position: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class JointSample:
    """All joints at one moment.

    Attributes:
        steady_ns: Of the measurement [ns].
        position: (n_q,) [rad].
        velocity: (n_q,) [rad/s].
        reading: The servos as read.
    """

    steady_ns: int
    position: Array
    velocity: Array
    reading: Reading


class ArmLink:
    """Keeps one arm connected and moves it.

    Args:
        servos: The way to it.
        calibrate: Makes the calibration, once the servos answer.
        robot: Whose limits hold.
        settings: Read in every period, so that changes take effect at once.
        clock: Steady time is used.
        on_sample: Takes each reading, in the link's thread.
    """

    def __init__(
        self,
        servos: Servos,
        calibrate: Callable[[Servos], Calibration],
        robot: Robot,
        settings: Callable[[], ArmSettings],
        clock: Clock,
        on_sample: Callable[[JointSample], None],
    ) -> None:
        self._servos = servos
        self._calibrate = calibrate
        self._robot = robot
        self._settings = settings
        self._steady = clock
        self._on_sample = on_sample
        self._report = LinkReport()
        self._control: ArmControl | None = None
        self._wishes: deque[Callable[[ArmControl], None]] = deque(maxlen=16)
        # Apart from the wishes: a line that stalls must not let commands push a wish to rest out.
        self._target: deque[Array] = deque(maxlen=1)
        self._outcomes: deque[bool] = deque(maxlen=_QUALITY_WINDOW)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="arm link", daemon=True)

    @property
    def report(self) -> LinkReport:
        """The arm now; from any thread."""
        return self._report

    def start(self) -> None:
        """Begin to connect, and go on until `close`."""
        self._thread.start()

    def close(self) -> None:
        """End the connection; the servos go on holding. Returns when it is done."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)

    def close_when(self, condition: Callable[[LinkReport], bool], limit_s: float) -> None:
        """Close once a condition holds; at once where there is no connection to wait for."""
        end_ns = self._steady.steady_ns() + round(limit_s * 1e9)
        while (
            self._report.status is LinkStatus.UP
            and (self._wishes or not condition(self._report))
            and self._steady.steady_ns() < end_ns
        ):
            self._closing.wait(0.02)
        self.close()

    def wish(self, action: Callable[[ArmControl], None]) -> None:
        """Have something done in the next period; dropped where there is no connection."""
        self._wishes.append(action)

    def follow(self, target: Array) -> None:
        """Have the arm go towards positions (n_q,) [rad], instead of those that still wait."""
        self._target.append(target)

    # In the link's thread.

    def _run(self) -> None:
        backoff_s = FIRST_BACKOFF_S
        while not self._closing.is_set():
            try:
                self._session()
            except DriftpilotError as error:
                self._update(status=LinkStatus.CONNECTING, error=error)
            except Exception as error:
                # Nothing may end this thread while the arm stands under torque.
                failure = RobotConnectionError("the arm's link failed", got=repr(error))
                self._update(status=LinkStatus.CONNECTING, error=failure)
            came_up = self._control is not None
            self._control = None
            backoff_s = FIRST_BACKOFF_S if came_up else min(2 * backoff_s, LAST_BACKOFF_S)
            self._closing.wait(backoff_s)
        self._update(status=LinkStatus.CLOSED, error=None)

    def _update(self, **changes: object) -> None:
        self._report = replace(self._report, **changes)  # type: ignore[arg-type]

    def _session(self) -> None:
        """One connection, from the greeting to the end.

        Raises:
            DriftpilotError: Why it ended, unless it was closed.
        """
        self._servos.open()
        try:
            calibration = self._calibrate(self._servos)
            reading = self._servos.read()
            # What was wished for meanwhile was meant for a connection that was not there.
            self._wishes.clear()
            self._target.clear()
            self._outcomes.clear()
            control = ArmControl(self._servos, calibration, self._robot, self._settings, reading)
            self._control = control
            self._serve(control)
        finally:
            self._servos.close()

    def _serve(self, control: ArmControl) -> None:
        """Read, decide and write, period by period.

        Raises:
            LinkLostError: Nothing has been heard for too long, or a write did not get through.
        """
        heard_ns = due_ns = self._steady.steady_ns()
        while not self._closing.is_set():
            settings = self._settings()
            period_ns = round(1e9 / settings.rate_hz)
            while self._wishes:
                self._wishes.popleft()(control)
            if self._target:
                control.follow(self._target.popleft())
            began_ns = self._steady.steady_ns()
            try:
                reading = self._servos.read()
            except LinkLostError:
                self._outcomes.append(False)
                if seconds(self._steady.steady_ns() - heard_ns) > settings.link_timeout_s:
                    raise
            else:
                heard_ns = self._steady.steady_ns()
                self._outcomes.append(True)
                # The servos measured somewhere between the question and the answer.
                self._take(control, reading, (began_ns + heard_ns) // 2)
                control.advance(reading, period_ns * 1e-9)
            now_ns = self._steady.steady_ns()
            # A period that was missed is not made up for.
            due_ns = max(due_ns + period_ns, now_ns - period_ns)
            if due_ns > now_ns:
                self._closing.wait(seconds(due_ns - now_ns))

    def _take(self, control: ArmControl, reading: Reading, measured_ns: int) -> None:
        position = control.calibration.positions(reading.position)
        velocity = control.calibration.velocities(reading.velocity)
        self._on_sample(JointSample(measured_ns, position, velocity, reading))
        fault = RobotFaultError("the arm is at fault", got=control.fault) if control.fault else None
        self._report = LinkReport(
            LinkStatus.UP, control.activity, reading, measured_ns,
            sum(self._outcomes) / max(1, len(self._outcomes)), fault, position,
        )  # fmt: skip
