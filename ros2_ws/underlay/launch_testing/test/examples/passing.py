"""Every way in which a test gets at its launch; all tests pass."""

import re
import sys
import unittest

import launch_testing
import launch_testing.actions
import launch_testing.asserts
import launch_testing.markers
import pytest
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess
from launch.substitutions import LaunchConfiguration

PROGRAM = """
import signal, sys
print("first", flush=True)
print("second \\x1b[32mgreen\\x1b[0m", flush=True)
print("ready", sys.argv[1], file=sys.stderr, flush=True)
try:
    while True:
        signal.pause()
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


@pytest.mark.launch_test
def generate_test_description():
    dut = ExecuteProcess(cmd=[sys.executable, "-S", "-c", PROGRAM, LaunchConfiguration("mood")])
    mood = DeclareLaunchArgument("mood", default_value="calm", description="How it feels.")
    description = LaunchDescription([mood, dut, launch_testing.actions.ReadyToTest()])
    return description, {"dut": dut, "answer": 42}


class TestActive(unittest.TestCase):
    @classmethod
    def setUpClass(cls, answer):
        cls.answer_of_class = answer

    def setUp(self, dut):
        self.dut_of_set_up = dut

    def test_arguments(self, answer, dut, launch_service, test_args):
        assert (answer, self.answer_of_class) == (42, 42)
        assert dut is self.dut_of_set_up
        assert launch_service.context is not None
        assert isinstance(test_args, dict)

    def test_attributes(self, proc_info, proc_output):
        assert self.proc_info is proc_info
        assert self.proc_output is proc_output

    def test_output(self, dut, proc_output, test_args):
        mood = test_args.get("mood", "calm")
        proc_output.assertWaitFor(f"ready {mood}", process=dut)
        proc_output.assertWaitFor("second green", process="python", stream="stdout")
        proc_output.assertWaitFor(expected_output=re.compile(r"^read. \w+$", re.M), timeout=5)
        assert not proc_output.waitFor("first", process=dut, timeout=0.01)

    def test_startup(self, dut, proc_info):
        proc_info.assertWaitForStartup(process=dut, timeout=5)
        with pytest.raises(AssertionError):
            proc_info.assertWaitForShutdown(process=dut, timeout=0.01)

    attempts = 0

    @launch_testing.markers.retry_on_failure(times=3)
    def test_retry(self):
        type(self).attempts += 1
        assert self.attempts == 3


@launch_testing.post_shutdown_test()
class TestAfter(unittest.TestCase):
    def test_exit_codes(self, proc_info, dut):
        launch_testing.asserts.assertExitCodes(proc_info)
        launch_testing.asserts.assertExitCodes(self.proc_info, process=dut)
        with pytest.raises(AssertionError):
            launch_testing.asserts.assertExitCodes(proc_info, allowable_exit_codes=[3])

    def test_output(self, proc_output, dut):
        launch_testing.asserts.assertInStdout(proc_output, ["first", "stopped"], dut)
        launch_testing.asserts.assertInStderr(proc_output, "ready", dut)
        with launch_testing.asserts.assertSequentialStdout(proc_output, dut) as checker:
            checker.assertInStdout("first")
            checker.assertInStdout("stopped")
            with pytest.raises(AssertionError):
                checker.assertInStdout("first")
