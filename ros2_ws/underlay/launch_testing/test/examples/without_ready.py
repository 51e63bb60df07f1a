"""The description lacks ReadyToTest."""

import unittest

import pytest
from launch import LaunchDescription


@pytest.mark.launch_test
def generate_test_description():
    return LaunchDescription([])


class TestActive(unittest.TestCase):
    def test_never_runs(self):
        pass
