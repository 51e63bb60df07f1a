"""The connection to one robot: opened, watched, mended, and used from a thread of its own.

cflib blocks when a radio's queue is full, never retries a connection, and never notices that a
robot has fallen silent. So one thread owns the client: whoever has something to send leaves it
in a mailbox and goes on, and the watchdog here looks at the age of the log packets. cflib's own
threads only ever call `Telemetry.receive` and set fields that this thread reads.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from planner_core.clock import Clock
from planner_core.errors import (
    DriftpilotError,
    FirmwareError,
    LinkLostError,
    RobotConnectionError,
)

from crazyflie_bridge import driver
from crazyflie_bridge.telemetry import BLOCKS, Flag, LogBlock, Telemetry

if TYPE_CHECKING:
    from cflib.crazyflie import Crazyflie

TICK_S: Final = 0.02
HANDSHAKE_SILENCE_S: Final = 1.0
"""A handshake that hears nothing for so long has stalled: requests are repeated every 0.2 s."""
SETUP_S: Final = 3.0
"""Longest wait for the first vitals, and for parameters to be confirmed."""
GRACE_S: Final = 2.0
"""A silent link is kept open for so long: then the firmware has cut the motors by itself, and
until then the way to the robot may still be open."""
FIRST_BACKOFF_S: Final = 0.25
LAST_BACKOFF_S: Final = 2.0
RESEND_S: Final = 0.1
ATTEMPTS: Final = 30

Action = Callable[["Crazyflie"], None]


class LinkStatus(Enum):
    """How far the connection is."""

    WAITING = "waiting for the next attempt"
    CONNECTING = "connecting"
    UP = "up"
    SILENT = "silent"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class LinkReport:
    """The connection at one moment.

    Attributes:
        status: How far it is.
        session: Counts connections that came up; 0 before the first.
        error: Why it is not up.
    """

    status: LinkStatus
    session: int
    error: DriftpilotError | None


@dataclass(slots=True)
class _Pending:
    """A high-level command that the robot has not confirmed yet."""

    command: int
    action: Action
    due_ns: int
    attempts: int = ATTEMPTS


class CrazyflieLink:
    """Keeps one robot connected.

    Args:
        uri: Address, as cflib writes it.
        telemetry: Takes what the robot reports.
        settings: Parameters to set on connection, given whether the robot is in the air.
        clock: Steady time is used.
        timeout_s: Age of the newest log packet at which the link counts as lost.
        cache: Folder for tables of contents, empty for none.

    Raises:
        ConfigurationError: Not an address.
        MissingDriverError: cflib is not installed.
    """

    def __init__(
        self,
        uri: str,
        telemetry: Telemetry,
        settings: Callable[[bool], Mapping[str, float]],
        clock: Clock,
        timeout_s: float,
        cache: str = "",
    ) -> None:
        driver.check_uri(uri)
        driver.load_drivers()
        self._uri = uri
        self._telemetry = telemetry
        self._settings = settings
        self._steady = clock
        self._timeout_s = timeout_s
        self._cache = cache
        self._report = LinkReport(LinkStatus.WAITING, 0, None)
        self._mail = threading.Condition()
        # Bounded for the time without a connection, when nobody empties it.
        self._actions: deque[Action] = deque(maxlen=64)
        self._setpoint: Action | None = None
        self._pose: Action | None = None
        self._pending: _Pending | None = None
        self._closing = threading.Event()
        self._heard_ns = 0
        self._failure: str | None = None
        self._connected = False
        self._thread = threading.Thread(target=self._run, name="crazyflie link", daemon=True)

    @property
    def report(self) -> LinkReport:
        """The connection now; from any thread."""
        return self._report

    @property
    def settled(self) -> bool:
        """Whether the robot has confirmed, or never will, the last high-level command."""
        return self._pending is None

    def start(self) -> None:
        """Begin to connect, and go on until `close`."""
        self._thread.start()

    def close(self) -> None:
        """End the connection without a word to the robot; returns when it is done."""
        self._closing.set()
        with self._mail:
            self._mail.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)

    def post(self, action: Action, *, urgent: bool = False) -> None:
        """Have something sent soon; dropped where there is no connection."""
        with self._mail:
            if urgent:
                self._actions.appendleft(action)
            else:
                self._actions.append(action)
            self._mail.notify()

    def post_setpoint(self, action: Action) -> None:
        """Have a setpoint sent, instead of one that still waits."""
        with self._mail:
            self._setpoint = action
            self._mail.notify()

    def post_pose(self, action: Action) -> None:
        """Have an external pose sent, instead of one that still waits."""
        with self._mail:
            self._pose = action
            self._mail.notify()

    def command(self, command: int, action: Action) -> None:
        """Have a high-level command sent again and again until the robot confirms it.

        It replaces one that is not confirmed yet, and any setpoint that waits: a low-level setpoint
        after it would lock the high-level commander out.

        Args:
            command: First byte of the packet, by which the robot confirms.
            action: Sends the packet.
        """
        with self._mail:
            self._setpoint = None
            self._pending = _Pending(command, action, 0)
            self._mail.notify()

    def cancel(self) -> None:
        """Forget everything that waits to be sent."""
        with self._mail:
            self._setpoint = self._pending = None
            self._actions.clear()

    # In the link's thread.

    def _run(self) -> None:
        backoff_s = FIRST_BACKOFF_S
        while not self._closing.is_set():
            session = self._report.session
            try:
                self._session()
            except DriftpilotError as error:
                self._set(LinkStatus.WAITING, error)
            except Exception as error:
                # cflib lets whatever it meets pass through: OSError, struct.error, KeyError …
                self._set(LinkStatus.WAITING, RobotConnectionError("cflib failed", got=repr(error)))
            came_up = self._report.session > session
            backoff_s = FIRST_BACKOFF_S if came_up else min(2 * backoff_s, LAST_BACKOFF_S)
            self._closing.wait(backoff_s)
        self._set(LinkStatus.CLOSED, None)

    def _set(self, status: LinkStatus, error: DriftpilotError | None, session: int = 0) -> None:
        self._report = LinkReport(status, session or self._report.session, error)

    def _session(self) -> None:
        """One connection, from the first packet to the last.

        Raises:
            DriftpilotError: Why it ended, unless it was closed.
        """
        self._set(LinkStatus.CONNECTING, self._report.error)
        self.cancel()
        client = driver.make_client(self._cache)
        try:
            if not self._connect(client):
                return
            self._telemetry.begin()
            for block in BLOCKS:
                self._start_log(client, block)
            telemetry = self._telemetry
            if not self._wait(lambda: bool(telemetry.state and telemetry.vitals), "log packets"):
                return
            vitals = telemetry.vitals
            assert vitals is not None
            self._configure(client, self._settings(Flag.FLYING in vitals.flags))
            # What was posted meanwhile was meant for a connection that was not there.
            self.cancel()
            self._set(LinkStatus.UP, None, self._report.session + 1)
            self._serve(client)
        finally:
            driver.release(client)

    def _connect(self, client: Crazyflie) -> bool:
        self._failure, self._connected = None, False
        self._heard_ns = self._steady.steady_ns()

        def fail(_uri: str, message: str) -> None:
            # A headline, the exception, and a traceback: only the second says what happened.
            lines = message.strip().splitlines()
            causes = [line for line in lines if line.startswith("Exception:")]
            self._fail(causes[0].removeprefix("Exception:").strip() if causes else lines[0])

        def connected(_uri: str) -> None:
            self._connected = True

        def heard(_packet: Any) -> None:
            self._heard_ns = self._steady.steady_ns()

        client.connection_failed.add_callback(fail)
        client.connection_lost.add_callback(fail)
        client.fully_connected.add_callback(connected)
        client.packet_received.add_callback(heard)
        client.add_port_callback(8, self._on_confirmation)
        client.open_link(self._uri)
        while not self._connected and not self._closing.wait(TICK_S):
            silent_s = (self._steady.steady_ns() - self._heard_ns) * 1e-9
            if self._failure is None and silent_s < HANDSHAKE_SILENCE_S:
                continue
            raise RobotConnectionError(
                f"no Crazyflie answers at {self._uri}",
                got=self._failure or f"silence for {silent_s:.1f} s",
                remedy="Is it switched on, in reach, and free of other clients?",
            )
        return not self._closing.is_set()

    def _start_log(self, client: Crazyflie, block: LogBlock) -> None:
        from cflib.crazyflie.log import LogConfig

        config = LogConfig(block.name, block.period_ms)
        for name, kind in block.variables:
            if client.log.toc.get_element_by_complete_name(name) is None:
                raise _lacking("log variable", name)
            config.add_variable(name, kind)
        config.data_received_cb.add_callback(
            lambda robot_ms, values, _: self._telemetry.receive(block, robot_ms, values)
        )
        config.error_cb.add_callback(
            lambda _, message: self._fail(f"log block {block.name} refused: {message}")
        )
        client.log.add_config(config)
        config.start()

    def _configure(self, client: Crazyflie, values: Mapping[str, float]) -> None:
        missing = set(values)

        def confirm(name: str, _value: str) -> None:
            missing.discard(name)

        for name in values:
            if client.param.toc.get_element_by_complete_name(name) is None:
                raise _lacking("parameter", name)
            group, variable = name.split(".")
            client.param.add_update_callback(group, variable, confirm)
        for name, value in values.items():
            client.param.set_value(name, value)
        self._wait(lambda: not missing, "the robot to confirm its parameters")

    def _wait(self, condition: Callable[[], bool], what: str) -> bool:
        """Whether a condition came true; False where the link is being closed.

        Raises:
            RobotConnectionError: It did not, in time.
        """
        began_ns = self._steady.steady_ns()
        while not condition():
            if self._closing.wait(TICK_S):
                return False
            if self._failure or (self._steady.steady_ns() - began_ns) * 1e-9 > SETUP_S:
                raise RobotConnectionError(
                    f"waiting in vain for {what} from {self._uri}", got=self._failure
                )
        return True

    def _serve(self, client: Crazyflie) -> None:
        while not self._closing.is_set():
            for action in self._collect():
                action(client)
            if self._failure:
                raise LinkLostError(f"the link to {self._uri} broke", got=self._failure)
            age_s = self._telemetry.age_s
            if age_s > self._timeout_s + GRACE_S:
                raise self._silence(age_s)
            status = self._report.status
            if age_s > self._timeout_s and status is LinkStatus.UP:
                self._set(LinkStatus.SILENT, self._silence(age_s))
            elif age_s <= self._timeout_s and status is LinkStatus.SILENT:
                self._set(LinkStatus.UP, None)

    def _silence(self, age_s: float) -> LinkLostError:
        return LinkLostError(
            f"nothing heard from {self._uri}", got=f"silence for {age_s:.1f} s",
            expected=f"a packet every {self._timeout_s:g} s",
        )  # fmt: skip

    def _collect(self) -> list[Action]:
        """What is to be sent now; waits a tick for something to arrive."""
        with self._mail:
            if not (self._actions or self._setpoint or self._pose):
                self._mail.wait(TICK_S)
            batch = list(self._actions)
            self._actions.clear()
            pending, now = self._pending, self._steady.steady_ns()
            if pending is not None and now >= pending.due_ns:
                pending.due_ns = now + round(RESEND_S * 1e9)
                pending.attempts -= 1
                batch.append(pending.action)
                if not pending.attempts:
                    self._pending = None
            batch.extend(action for action in (self._pose, self._setpoint) if action)
            self._pose = self._setpoint = None
        return batch

    # In cflib's thread.

    def _fail(self, message: str) -> None:
        """End the session; the first reason is kept."""
        self._failure = self._failure or message

    def _on_confirmation(self, packet: Any) -> None:
        """A reply of the high-level commander: command, two bytes, error number."""
        with self._mail:
            pending = self._pending
            if pending is None or len(packet.data) < 4 or packet.data[0] != pending.command:
                return
            if packet.data[3] == 0:
                self._pending = None


def _lacking(kind: str, name: str) -> FirmwareError:
    return FirmwareError(f"the firmware has no {kind} {name}", remedy="Update the firmware.")
