"""The outcome of each test case."""

import time
import unittest
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["passed", "failed", "error", "skipped"]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The outcome of one test case.

    Args:
        class_name: Name of the test class.
        name: Name of the test method, with the parameters of its launch.
        status: A failed assertion is `failed`, any other exception `error`.
        details: Traceback or reason.
        time_s: Duration [s].
    """

    class_name: str
    name: str
    status: Status
    details: str = ""
    time_s: float = 0.0

    @property
    def successful(self) -> bool:
        """Whether the case passed or was skipped."""
        return self.status in ("passed", "skipped")


@dataclass(frozen=True, slots=True)
class RunResult:
    """The outcome of one launch and its tests."""

    name: str
    cases: tuple[CaseResult, ...]

    def wasSuccessful(self) -> bool:  # noqa: N802 - as unittest calls it
        """Whether no case failed."""
        return all(case.successful for case in self.cases)


def same_result(
    name: str, cases: Iterable[unittest.TestCase], status: Status, details: str
) -> RunResult:
    """Give all cases of a launch one outcome, because of what happened to the launch.

    A launch without cases gets a case of its own, so that what happened is reported at all.
    """
    results = [CaseResult(*case_name(case), status, details) for case in cases]
    return RunResult(name, tuple(results) or (CaseResult("launch", "launch", status, details),))


def case_name(case: unittest.TestCase) -> tuple[str, str]:
    """Return the name of the class and of the method of a case."""
    return type(case).__name__, case._testMethodName


class TestResult(unittest.TextTestResult):
    """Prints outcomes as unittest does, and keeps them by case."""

    __test__ = False  # not a test, whatever pytest makes of its name

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._started_at: dict[unittest.TestCase, float] = {}
        self._finished: dict[unittest.TestCase, CaseResult] = {}
        self._problems: dict[unittest.TestCase, tuple[Status, str]] = {}
        self._fixture_errors: list[str] = []

    def case_results(
        self, cases: Iterable[unittest.TestCase], not_run: str
    ) -> tuple[CaseResult, ...]:
        """Return the outcome of each case.

        Args:
            cases: The cases that should have run.
            not_run: Reason for the error of a case that has not run to its end.
        """
        reason = "\n".join([not_run, *self._fixture_errors])
        return tuple(
            self._finished.get(case)
            or CaseResult(*case_name(case), *self._problems.get(case, ("error", reason)))
            for case in cases
        )

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        self._started_at[test] = time.monotonic()
        super().startTest(test)

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        status, details = self._problems.get(test, ("passed", ""))
        duration_s = time.monotonic() - self._started_at[test]
        self._finished[test] = CaseResult(*case_name(test), status, details, duration_s)
        super().stopTest(test)

    def addError(self, test: Any, err: Any) -> None:  # noqa: N802
        super().addError(test, err)
        self._add(test, "error", self.errors[-1][1])

    def addFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        super().addFailure(test, err)
        self._add(test, "failed", self.failures[-1][1])

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:  # noqa: N802
        super().addSubTest(test, subtest, err)
        if err is not None:
            failed = issubclass(err[0], test.failureException)
            details = (self.failures if failed else self.errors)[-1][1]
            self._add(test, "failed" if failed else "error", f"{subtest}\n{details}")

    def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802
        super().addSkip(test, reason)
        self._add(test, "skipped", reason)

    def addUnexpectedSuccess(self, test: Any) -> None:  # noqa: N802
        super().addUnexpectedSuccess(test)
        self._add(test, "failed", "unexpected success")

    def _add(self, test: Any, status: Status, details: str) -> None:
        if not isinstance(test, unittest.TestCase):  # setUpClass and the like
            self._fixture_errors.append(f"{test}: {details}")
            return
        previous_status, previous = self._problems.get(test, (status, ""))
        worst = "error" if "error" in (status, previous_status) else status
        self._problems[test] = (worst, f"{previous}\n{details}".strip())
