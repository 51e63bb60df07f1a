"""How the checks of a planner or a robot of one's own report what they find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


class NonconformityError(AssertionError):
    """A rule that a planner or a robot breaks; the message says how."""


@dataclass(frozen=True, slots=True)
class Finding:
    """How one check ended.

    Attributes:
        rule: What is required, in one sentence.
        failure: How it was broken; empty where it was kept.
    """

    rule: str
    failure: str


def failures(findings: Sequence[Finding]) -> list[str]:
    """The broken rules, one line each; empty for what conforms."""
    return [f"{found.rule} {found.failure}" for found in findings if found.failure]


def finding(check: Callable[[Any], None], subject: object) -> Finding:
    """Run a check; the first sentence of its docstring is the rule."""
    rule = (check.__doc__ or "").strip().splitlines()[0]
    try:
        check(subject)
    except Exception as error:  # whatever it raises, the author wants to read it
        return Finding(rule, f"{type(error).__name__}: {error}")
    return Finding(rule, "")


def require(condition: object, failure: str) -> None:
    """Raise a `NonconformityError` where the condition does not hold."""
    if not condition:
        raise NonconformityError(failure)
