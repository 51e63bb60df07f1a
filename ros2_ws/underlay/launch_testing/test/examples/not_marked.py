"""Not a launch test for pytest: its generate_test_description has no mark."""


def generate_test_description():
    raise AssertionError("must not be called")


def test_plain():
    pass
