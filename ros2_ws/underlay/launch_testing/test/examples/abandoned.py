"""The process under test dies, and the test hangs in a wait that nobody can end."""

import sys
import threading
import unittest

import launch_testing
import launch_testing.actions
import pytest
from launch import LaunchDescription
from launch.actions import ExecuteProcess


@pytest.mark.launch_test
@launch_testing.parametrize("number", [1, 2])
def generate_test_description(number):
    dut = ExecuteProcess(cmd=[sys.executable, "-S", "-c", "pass"])
    return LaunchDescription([dut, launch_testing.actions.ReadyToTest()])


class TestActive(unittest.TestCase):
    def test_hangs(self):
        threading.Event().wait()
