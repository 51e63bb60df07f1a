"""The whole launch is skipped."""

import unittest

import pytest


@pytest.mark.launch_test
@unittest.skip("no robot here")
def generate_test_description():
    raise AssertionError("must not be called")


class TestActive(unittest.TestCase):
    def test_never_runs(self):
        pass
