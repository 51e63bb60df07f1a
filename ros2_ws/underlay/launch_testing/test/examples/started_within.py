"""A test starts a process in the running launch."""

import sys
import unittest

import launch_testing
import launch_testing.actions
import launch_testing.asserts
import launch_testing.markers
import launch_testing.tools
import pytest
from launch import LaunchDescription
from launch.actions import ExecuteProcess

PROGRAM = """
import signal
print("up", flush=True)
try:
    signal.pause()
except KeyboardInterrupt:
    pass
"""


@pytest.mark.launch_test
@launch_testing.markers.keep_alive
def generate_test_description():
    return LaunchDescription([launch_testing.actions.ReadyToTest()])


class TestActive(unittest.TestCase):
    def test_process(self, launch_service, proc_info, proc_output):
        action = ExecuteProcess(cmd=[sys.executable, "-S", "-c", PROGRAM])
        with launch_testing.tools.launch_process(
            launch_service, action, proc_info, proc_output
        ) as process:
            assert process.wait_for_output(lambda output: "up" in output, timeout=10)
            assert process.running
            assert not process.wait_for_shutdown(timeout=0.01)
        assert process.wait_for_shutdown(timeout=10)
        assert process.exit_code == 0
        assert process.stdout == "up\n"
