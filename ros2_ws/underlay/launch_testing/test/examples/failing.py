"""One test for each outcome."""

import unittest

import launch_testing
import launch_testing.actions
import launch_testing.util
import pytest
from launch import LaunchDescription


@pytest.mark.launch_test
def generate_test_description():
    return LaunchDescription(
        [launch_testing.util.KeepAliveProc(), launch_testing.actions.ReadyToTest()]
    )


class TestActive(unittest.TestCase):
    def test_error(self):
        raise RuntimeError("the error\x00 of a test")

    def test_failure(self):
        assert 1 == 2, "the failure of a test"

    def test_missing_argument(self, no_such_argument):
        pass

    def test_pass(self):
        pass

    @unittest.skip("the reason of a skip")
    def test_skip(self):
        pass

    def test_sub_tests(self):
        for number in range(3):
            with self.subTest(number=number):
                assert number != 1


class TestBrokenFixture(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise RuntimeError("the error of a fixture")

    def test_never_runs(self):
        pass


@launch_testing.post_shutdown_test()
class TestAfter(unittest.TestCase):
    def test_failure_after(self):
        self.fail("the failure after the launch")

    def test_pass_after(self):
        pass
