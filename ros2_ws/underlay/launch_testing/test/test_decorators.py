"""Decorators, arguments, and names that do not exist here."""

import importlib
import unittest
from types import ModuleType

import launch_testing
import pytest
from launch_testing.loader import InvalidTestFileError, load_test_runs
from launch_testing.markers import retry_on_failure
from launch_testing.parse_arguments import parse_launch_arguments


def test_parametrize_accepts_bare_values_and_tuples() -> None:
    def describe(size: int, colour: str) -> tuple[int, str]:
        return size, colour

    launches = launch_testing.parametrize("size, colour", [(1, "red"), (2, "blue")])(describe)
    assert [(function(), parameters) for function, parameters in launches()] == [
        ((1, "red"), {"size": 1, "colour": "red"}),
        ((2, "blue"), {"size": 2, "colour": "blue"}),
    ]
    with pytest.raises(ValueError, match="expects 2 values"):
        launch_testing.parametrize("size, colour", [1])


def test_retry_gives_up_after_the_last_attempt() -> None:
    attempts = []

    class Test:
        @retry_on_failure(times=3)
        def test(self) -> None:
            attempts.append(1)
            raise AssertionError("always")

    with pytest.raises(AssertionError, match="always"):
        Test().test()
    assert len(attempts) == 3


def test_retry_refuses_wrong_use() -> None:
    with pytest.raises(ValueError, match="times >= 1"):
        retry_on_failure(times=0)
    with pytest.raises(TypeError, match="expects a method"):
        retry_on_failure(times=2)(lambda: None)


@pytest.mark.parametrize("order", ["inside", "outside"])
def test_markers_hold_on_either_side_of_parametrize(order: str) -> None:
    def generate_test_description(size: int) -> None:
        pass

    parametrize = launch_testing.parametrize("size", [1, 2])
    keep_alive = launch_testing.markers.keep_alive
    timeout = launch_testing.ready_to_test_action_timeout(3)
    if order == "inside":
        decorated = parametrize(timeout(keep_alive(generate_test_description)))
    else:
        decorated = timeout(keep_alive(parametrize(generate_test_description)))
    runs = load_test_runs(_module(decorated), "file")
    assert [run.name for run in runs] == ["file[1]", "file[2]"]
    assert all(run.keep_alive and run.ready_timeout_s == 3.0 for run in runs)


def test_description_with_other_arguments_than_its_parameters() -> None:
    def generate_test_description(ready_fn: object) -> None:
        pass

    with pytest.raises(InvalidTestFileError, match="ready_fn"):
        load_test_runs(_module(generate_test_description), "file")


def test_description_that_returns_something_else() -> None:
    (run,) = load_test_runs(_module(lambda: 5), "file")
    with pytest.raises(InvalidTestFileError, match="must return a LaunchDescription"):
        run.describe(ready=lambda: None)


def test_launch_arguments() -> None:
    assert parse_launch_arguments(["a:=1", "b:=x:=y", "a:=2", "c:="]) == [
        ("a", "2"),
        ("b", "x:=y"),
        ("c", ""),
    ]
    for malformed in ("a", "a=1", ":=1"):
        with pytest.raises(ValueError, match="expected format '<name>:=<value>'"):
            parse_launch_arguments([malformed])


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("launch_testing", "legacy"),
        ("launch_testing.actions", "GTest"),
        ("launch_testing.asserts", "assertNothing"),
        ("launch_testing.tools", "basic_output_filter"),
    ],
)
def test_what_is_missing_is_named(package: str, name: str) -> None:
    with pytest.raises(AttributeError, match=rf"{package}\.{name} is not part of this stand-in"):
        getattr(importlib.import_module(package), name)


def test_everything_announced_exists() -> None:
    for name in launch_testing.__all__:
        assert getattr(launch_testing, name) is not None


def _module(entry_point: object) -> ModuleType:
    module = ModuleType("file")
    module.__file__ = "file.py"
    module.generate_test_description = entry_point  # type: ignore[attr-defined]

    class TestSomething(unittest.TestCase):
        def test_it(self) -> None:
            pass

    module.TestSomething = TestSomething  # type: ignore[attr-defined]
    return module
