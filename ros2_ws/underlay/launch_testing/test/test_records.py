"""Records of processes: look-up, assertions, and waits from another thread.

The processes and their events are made up; nothing is launched.
"""

import threading

import pytest
from launch.actions import ExecuteProcess
from launch.events.process import ProcessExited, ProcessIO, ProcessStarted
from launch_testing import ActiveIoHandler, ActiveProcInfoHandler, IoHandler, ProcInfoHandler
from launch_testing.asserts import (
    NO_CMD_ARGS,
    SequentialTextChecker,
    assertExitCodes,
    assertInStderr,
    assertInStdout,
    assertInStream,
)
from launch_testing.tools import ProcessProxy
from launch_testing.util import NoMatchingProcessException, resolveProcesses

LONG_S = 30.0


class FakeProcess(ExecuteProcess):
    """A process that has started, as far as its details say."""

    def __init__(self, name: str, *arguments: str) -> None:
        super().__init__(cmd=["program", *arguments])
        self._fake_details = {"name": name, "cmd": ["program", *arguments]}

    @property
    def process_details(self) -> dict[str, object]:
        """Name and command of the process."""
        return self._fake_details


def _details(process: FakeProcess) -> dict[str, object]:
    return {
        "action": process,
        "name": process.process_details["name"],
        "cmd": process.process_details["cmd"],
        "cwd": None,
        "env": None,
        "pid": 1,
    }


def started(process: FakeProcess) -> ProcessStarted:
    """Make the event of the start of a process."""
    return ProcessStarted(**_details(process))


def exited(process: FakeProcess, returncode: int) -> ProcessExited:
    """Make the event of the end of a process."""
    return ProcessExited(**_details(process), returncode=returncode)


def wrote(process: FakeProcess, data: bytes, stream: str = "stdout") -> ProcessIO:
    """Make the event of an output of a process."""
    return ProcessIO(**_details(process), text=data, fd={"stdout": 1, "stderr": 2}[stream])


ARM = FakeProcess("arm-1", "--left", "--fast")
SECOND_ARM = FakeProcess("arm-2", "--right")
LEG = FakeProcess("leg-3")


@pytest.fixture
def proc_info() -> ProcInfoHandler:
    handler = ProcInfoHandler()
    for event in (started(ARM), started(SECOND_ARM), started(LEG)):
        handler.append(event)
    return handler


@pytest.fixture
def proc_output() -> IoHandler:
    handler = IoHandler()
    handler.track("leg-3")
    for event in (wrote(ARM, b"\x1b[1mup\x1b[0m\n"), wrote(SECOND_ARM, b"oh\n", "stderr")):
        handler.append(event)
    return handler


def test_look_up(proc_info: ProcInfoHandler) -> None:
    assert resolveProcesses(proc_info) == [ARM, SECOND_ARM, LEG]
    assert resolveProcesses(proc_info, process=LEG) == [LEG]
    assert resolveProcesses(proc_info, process="leg") == [LEG]
    assert resolveProcesses(proc_info, process="arm", cmd_args="--left") == [ARM]
    assert resolveProcesses(proc_info, process="arm", cmd_args=["--left", "--fast"]) == [ARM]
    assert resolveProcesses(proc_info, process="", cmd_args=NO_CMD_ARGS) == [LEG]
    assert resolveProcesses(proc_info, process="arm", strict_proc_matching=False) == [
        ARM,
        SECOND_ARM,
    ]


def test_look_up_names_what_is_recorded(proc_info: ProcInfoHandler) -> None:
    with pytest.raises(NoMatchingProcessException, match=r"'tail'.*arm-1 --left --fast, arm-2"):
        resolveProcesses(proc_info, process="tail")
    with pytest.raises(NoMatchingProcessException, match="--left"):
        resolveProcesses(proc_info, process="leg", cmd_args=["--left"])
    with pytest.raises(NoMatchingProcessException, match="recorded: none"):
        resolveProcesses(ProcInfoHandler())
    with pytest.raises(ValueError, match="several processes match name 'arm'"):
        resolveProcesses(proc_info, process="arm")
    with pytest.raises(TypeError, match="3"):
        resolveProcesses(proc_info, process=3)  # type: ignore[arg-type]


def test_exit_codes(proc_info: ProcInfoHandler) -> None:
    with pytest.raises(AssertionError, match="leg-3 has not ended"):
        assertExitCodes(proc_info, process="leg")
    for event in (exited(ARM, 0), exited(SECOND_ARM, -2), exited(LEG, 0)):
        proc_info.append(event)
    assertExitCodes(proc_info, process=LEG)
    assertExitCodes(proc_info, [0, -2])
    with pytest.raises(AssertionError, match="arm-2 exited with code -2, allowed: 0"):
        assertExitCodes(proc_info)
    with pytest.raises(AssertionError, match="an exit code must be an int, got '0'"):
        assertExitCodes(proc_info, ["0"])  # type: ignore[list-item]


def test_last_event_counts(proc_info: ProcInfoHandler) -> None:
    proc_info.append(exited(LEG, 7))
    assert proc_info["leg"].returncode == 7
    assert proc_info.process_names() == ["arm-1", "arm-2", "leg-3"]
    with pytest.raises(KeyError):
        proc_info["tail"]


def test_output(proc_output: IoHandler) -> None:
    assertInStdout(proc_output, ["up"], ARM)
    assertInStdout(proc_output, "\x1b[1mup", ARM, strip_ansi_escape_sequences=False)
    assertInStdout(proc_output, "UP", ARM, output_filter=str.upper)
    assertInStderr(proc_output, "oh", None)
    assertInStream(proc_output, "oh", "arm-2")
    with pytest.raises(AssertionError, match="'oh' is not in the stdout of any of: arm-1, arm-2"):
        assertInStdout(proc_output, "oh", None)
    with pytest.raises(NoMatchingProcessException):
        assertInStdout(proc_output, "up", LEG)
    assert proc_output["leg-3"] == []


def test_order() -> None:
    checker = SequentialTextChecker(["one two ", "two three"])
    for text in ("one", "two", "two", "three"):
        checker.assertInText(text)
    with pytest.raises(AssertionError, match="'one' does not follow"):
        checker.assertInStdout("one")


def test_output_wakes_the_test() -> None:
    output = ActiveIoHandler()
    writer = threading.Thread(target=output.append, args=[wrote(ARM, b"up\n")])
    writer.start()
    output.assertWaitFor("up", ARM, stream="stdout", timeout=LONG_S)
    writer.join()


def test_wait_for_output_times_out() -> None:
    output = ActiveIoHandler()
    with pytest.raises(NoMatchingProcessException):
        output.waitFor("up", timeout=0.01)
    output.append(wrote(ARM, b"up\n"))
    assert not output.waitFor("up", timeout=0.01)  # it is not in stderr
    with pytest.raises(AssertionError, match="timed out: 'down'"):
        output.assertWaitFor("down", timeout=0.01)


def test_start_and_end_wake_the_test() -> None:
    info = ActiveProcInfoHandler()
    events = [started(ARM), exited(ARM, 0)]
    writer = threading.Thread(target=lambda: [info.append(event) for event in events])
    writer.start()
    info.assertWaitForStartup(ARM, timeout=LONG_S)
    info.assertWaitForShutdown("arm", timeout=LONG_S)
    writer.join()


def test_end_of_the_launch_ends_all_waits() -> None:
    info, output = ActiveProcInfoHandler(), ActiveIoHandler()
    info.append(started(ARM))
    output.track("arm-1")
    proxy = ProcessProxy(ARM, info, output)
    waits = [
        threading.Thread(target=proxy.wait_for_shutdown),
        threading.Thread(target=proxy.wait_for_output),
    ]
    for wait in waits:
        wait.start()
    info.end()
    output.end()
    for wait in waits:
        wait.join(LONG_S)
    assert not any(wait.is_alive() for wait in waits)
    with pytest.raises(AssertionError, match="to finish"):
        info.assertWaitForShutdown(ARM, timeout=LONG_S)


def test_proxy() -> None:
    info, output = ActiveProcInfoHandler(), ActiveIoHandler()
    proxy = ProcessProxy(ARM, info, output, output_filter=str.upper)
    assert (proxy.running, proxy.terminated, proxy.output) == (False, False, "")
    output.append(wrote(ARM, b"up"))
    output.append(wrote(ARM, b"oh", "stderr"))
    info.append(started(ARM))
    assert (proxy.running, proxy.stdout, proxy.stderr) == (True, "UP", "OH")
    info.append(exited(ARM, 4))
    assert (proxy.terminated, proxy.exit_code) == (True, 4)
