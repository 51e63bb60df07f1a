"""The launch never becomes ready."""

import unittest

import launch_testing
import launch_testing.actions
import launch_testing.util
import pytest
from launch import LaunchDescription
from launch.actions import TimerAction


@pytest.mark.launch_test
@launch_testing.ready_to_test_action_timeout(0.5)
def generate_test_description():
    ready = TimerAction(period=100.0, actions=[launch_testing.actions.ReadyToTest()])
    return LaunchDescription([launch_testing.util.KeepAliveProc(), ready])


class TestActive(unittest.TestCase):
    def test_never_runs(self):
        pass
