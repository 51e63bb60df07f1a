"""The process under test ignores SIGINT and SIGTERM, and so does its child."""

import sys
import unittest

import launch_testing
import launch_testing.actions
import launch_testing.asserts
import pytest
from launch import LaunchDescription
from launch.actions import ExecuteProcess

CHILD = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
while True:
    signal.pause()
"""
PROGRAM = f"""
import subprocess, sys
subprocess.Popen([sys.executable, "-S", "-c", {CHILD!r}])
{CHILD}
"""


@pytest.mark.launch_test
def generate_test_description():
    dut = ExecuteProcess(
        cmd=[sys.executable, "-S", "-c", PROGRAM], sigterm_timeout="0.3", sigkill_timeout="0.3"
    )
    return LaunchDescription([dut, launch_testing.actions.ReadyToTest()]), {"dut": dut}


class TestActive(unittest.TestCase):
    def test_ready(self, proc_output, dut):
        proc_output.assertWaitFor(["ready", "ready"], process=dut, stream="stdout")


@launch_testing.post_shutdown_test()
class TestAfter(unittest.TestCase):
    def test_was_killed(self, proc_info, dut):
        launch_testing.asserts.assertExitCodes(proc_info, [-9], dut)
