"""The launch itself fails."""

import unittest

import launch_testing.actions
import pytest
from launch import LaunchDescription
from launch.actions import ExecuteProcess


@pytest.mark.launch_test
def generate_test_description():
    dut = ExecuteProcess(cmd=["no-such-executable-anywhere"])
    return LaunchDescription([dut, launch_testing.actions.ReadyToTest()])


class TestActive(unittest.TestCase):
    def test_waits(self, proc_output):
        proc_output.assertWaitFor("anything", timeout=100)
