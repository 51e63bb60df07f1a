"""Collects and runs launch tests with pytest.

A file is a launch test if its `generate_test_description` carries the mark `launch_test` or
`rostest`. Each test method becomes an item of its own. The first item of a launch starts it and
runs all of its selected methods; the others only report.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import unittest

    from launch_testing.loader import TestRun
    from launch_testing.results import CaseResult

MARKS = {
    "launch_test": "its generate_test_description describes a launch test",
    "rostest": "its generate_test_description describes a launch test of ROS nodes",
}
_ENTRY_POINT = "generate_test_description"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for launch arguments."""
    parser.addoption(
        "--launch-args",
        action="append",
        nargs="*",
        default=[],
        help="launch arguments of the form <name>:=<value>",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks."""
    for name, meaning in MARKS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> Any:
    """Take over files that may be launch tests.

    The text decides: to import a file that is none of ours could have side effects.
    """
    if _ENTRY_POINT.encode() in module_path.read_bytes():
        return LaunchTestModule.from_parent(parent, path=module_path)
    return None


class LaunchTestFailure(Exception):  # noqa: N818 - the genuine name
    """A test method failed during its launch."""


class LaunchTestModule(pytest.Module):
    """A file with launch tests, or an ordinary one that only mentions them."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """List one item for each test method of each launch."""
        entry_point = getattr(self.obj, _ENTRY_POINT, None)
        marks = list(getattr(entry_point, "pytestmark", []))
        if not any(mark.name in MARKS for mark in marks):
            yield from super().collect()
            return
        from launch_testing.loader import load_test_runs

        for run in load_test_runs(self.obj, self.path.stem):
            launch = _SharedLaunch(run, self.session)
            for case in run.cases:
                name = f"{type(case).__name__}.{case._testMethodName}"
                item = LaunchTestItem.from_parent(self, name=name, launch=launch, case=case)
                for mark in marks:
                    item.add_marker(mark.name if mark.name in MARKS else _decorator(mark))
                yield item


class LaunchTestItem(pytest.Item):
    """One test method of one launch."""

    def __init__(
        self, *, launch: "_SharedLaunch", case: "unittest.TestCase", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.launch = launch
        self.case = case

    def runtest(self) -> None:
        """Report what became of the method.

        Raises:
            LaunchTestFailure: If it failed.
        """
        result = self.launch.result_of(self.case)
        if result.status == "skipped":
            pytest.skip(result.details)
        if not result.successful:
            raise LaunchTestFailure(result.details)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the traceback of the test method, not the one of this plugin."""
        if isinstance(excinfo.value, LaunchTestFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Name the test method in reports."""
        return self.path, None, self.name


class _SharedLaunch:
    """One launch, which runs when the first of its items does."""

    def __init__(self, run: "TestRun", session: pytest.Session) -> None:
        self._run = run
        self._session = session
        self._results: dict[tuple[str, str], CaseResult] = {}

    def result_of(self, case: "unittest.TestCase") -> "CaseResult":
        from launch_testing.results import case_name

        if case_name(case) not in self._results:
            self._launch()
        # Taken out: an item that is run again, by a plugin that retries, launches again.
        return self._results.pop(case_name(case))

    def _launch(self) -> None:
        from launch_testing.runner import LaunchTestRunner

        config = self._session.config
        arguments = [value for values in config.getoption("--launch-args") for value in values]
        selected = [
            item.case
            for item in self._session.items
            if isinstance(item, LaunchTestItem) and item.launch is self
        ]
        if any(case in self._run.post_shutdown_cases for case in selected):
            # What is left of a launch depends on the tests that ran during it.
            selected += self._run.active_cases
        runner = LaunchTestRunner([self._run], arguments, config.get_verbosity() > 1)
        (result,) = runner.run(selected)
        self._results = {(entry.class_name, entry.name): entry for entry in result.cases}


def _decorator(mark: pytest.Mark) -> pytest.MarkDecorator:
    decorator: pytest.MarkDecorator = getattr(pytest.mark, mark.name)
    return decorator.with_args(*mark.args, **mark.kwargs)
