"""One launch for each set of parameters; the processes end by themselves."""

import sys
import unittest

import launch_testing
import launch_testing.actions
import launch_testing.asserts
import launch_testing.markers
import pytest
from launch import LaunchDescription
from launch.actions import ExecuteProcess


@pytest.mark.rostest
@launch_testing.parametrize("code, word", [(0, "zero"), (3, "three")])
@launch_testing.markers.keep_alive
def generate_test_description(code, word):
    program = f"import sys; print('{word}'); sys.exit({code})"
    dut = ExecuteProcess(cmd=[sys.executable, "-S", "-c", program])
    return LaunchDescription([dut, launch_testing.actions.ReadyToTest()]), locals()


class TestActive(unittest.TestCase):
    def test_ends(self, proc_info, dut, code):
        proc_info.assertWaitForShutdown(process=dut, timeout=10)
        assert proc_info[dut].returncode == code
        assert proc_info["python"].returncode == code


@launch_testing.post_shutdown_test()
class TestAfter(unittest.TestCase):
    def test_only_zero_passes(self, proc_info):
        launch_testing.asserts.assertExitCodes(proc_info)

    def test_word(self, proc_output, dut, word):
        launch_testing.asserts.assertInStdout(proc_output, word, dut)
