from __future__ import annotations

import importlib
import pkgutil

import planner_core
import pytest
from planner_core.errors import DriftpilotError, GoalOutsideFenceError, error_codes


def test_codes_are_distinct_and_fit_the_messages() -> None:
    for module in pkgutil.iter_modules(planner_core.__path__):
        importlib.import_module(f"planner_core.{module.name}")
    codes = error_codes()
    assert len(codes) > 20
    assert all(0 < code < 2**16 for code in codes)


def test_a_shared_code_is_found() -> None:
    class FirstError(DriftpilotError):
        code = 64999

    class SecondError(DriftpilotError):
        code = 64999

    try:
        with pytest.raises(ValueError, match=r"FirstError|SecondError"):
            error_codes()
    finally:
        SecondError.code = 64998
        FirstError.code = 64997


def test_message_says_what_got_expected_and_what_to_do() -> None:
    error = GoalOutsideFenceError("goal", got=7, expected="at most 5", remedy="Come closer.")
    assert str(error) == "[E211] goal; got 7; expected at most 5. Come closer."
    assert error.code == 211


def test_whatever_was_got_the_message_is_one_line_that_can_be_read() -> None:
    file = "two\n  lines" + "y" * 10**6
    message = str(GoalOutsideFenceError("x" * 5000, got=file, expected=file))
    assert message.startswith("[E211] xxx")
    assert "got two linesyyy" in message
    assert message.count("(1000009 characters)") == 2
    assert len(message) < 1100
