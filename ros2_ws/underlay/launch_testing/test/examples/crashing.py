"""The process under test dies while a test waits for it."""

import sys
import unittest

import launch_testing
import launch_testing.actions
import pytest
from launch import LaunchDescription
from launch.actions import ExecuteProcess


@pytest.mark.launch_test
def generate_test_description():
    program = "import sys, time; time.sleep(0.3); sys.exit('the last words')"
    dut = ExecuteProcess(cmd=[sys.executable, "-S", "-c", program])
    return LaunchDescription([dut, launch_testing.actions.ReadyToTest()])


class TestActive(unittest.TestCase):
    def test_a_passes_before(self):
        pass

    def test_b_waits(self, proc_output):
        proc_output.assertWaitFor("what is never written", timeout=100)

    def test_c_never_runs(self):
        pass


@launch_testing.post_shutdown_test()
class TestAfter(unittest.TestCase):
    def test_after_never_runs(self):
        pass
