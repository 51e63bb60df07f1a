"""Runs launches and their tests."""

import threading
import unittest
from collections.abc import Collection, Iterable
from typing import Any

from launch import LaunchDescription, LaunchDescriptionSource, LaunchService
from launch.actions import IncludeLaunchDescription, RegisterEventHandler
from launch.event_handlers import OnProcessExit, OnProcessIO, OnProcessStart
from launch.events.process import ProcessExited, ProcessStarted
from launch_testing.io_handler import ActiveIoHandler
from launch_testing.loader import TestRun
from launch_testing.parse_arguments import parse_launch_arguments
from launch_testing.proc_info_handler import ActiveProcInfoHandler
from launch_testing.results import RunResult, TestResult, same_result
from launch_testing.tools.text import decode

LAUNCH_DIED = "Processes under test stopped before tests completed"
NOT_READY = "Timed out waiting for processes to start up"

# A test that waits for a process ends with the launch; one that waits for something else may not.
_ABANDONED_TEST_GRACE_S = 2.0


class LaunchDiedError(Exception):
    """A test still runs although its launch has ended; nothing else can run beside it."""

    def __init__(self, result: RunResult) -> None:
        super().__init__(LAUNCH_DIED)
        self.result = result


class _Launch:
    """One launch with its tests.

    The launch owns the main thread, where its signal handlers and child watcher must be; the tests
    of the running launch have a thread of their own, and those after the launch the main thread.
    """

    def __init__(
        self,
        run: TestRun,
        cases: Collection[unittest.TestCase],
        arguments: list[tuple[str, str]],
        debug: bool,
    ) -> None:
        self._run = run
        self._arguments = arguments
        self._active = [case for case in run.active_cases if case in cases]
        self._post_shutdown = [case for case in run.post_shutdown_cases if case in cases]
        self._service = LaunchService(debug=debug)
        self._proc_info = ActiveProcInfoHandler()
        self._proc_output = ActiveIoHandler()
        self._may_begin = threading.Event()  # the launch is ready, or it has ended
        self._completed = threading.Event()  # all active tests have run
        self._ended = False
        self._is_late = False
        self._result = _new_result()

    def execute(self) -> RunResult:
        """Launch, run the tests, shut down, run the tests of what is left.

        Raises:
            LaunchDiedError: If a test outlives the launch.
        """
        description, context = self._run.describe(ready=self._may_begin.set)
        self._bind(context)
        self._service.include_launch_description(self._observed(description))
        tests = threading.Thread(target=self._run_active, name="launch_tests", daemon=True)
        tests.start()
        try:
            self._service.run(shutdown_when_idle=not self._run.keep_alive)
        finally:
            completed = self._completed.is_set()
            self._release_tests()
        if not completed:
            tests.join(_ABANDONED_TEST_GRACE_S)
            return self._died(tests.is_alive())
        tests.join()
        after = _new_result()
        _run_cases(self._post_shutdown, after)
        return RunResult(
            self._run.name,
            self._result.case_results(self._active, "not run")
            + after.case_results(self._post_shutdown, "not run"),
        )

    def _release_tests(self) -> None:
        """Begin no further test, and keep the running one waiting no longer."""
        self._ended = True
        self._result.stop()
        self._may_begin.set()
        self._proc_info.end()
        self._proc_output.end()

    def _bind(self, context: dict[str, Any]) -> None:
        common = {**context, **self._run.parameters, "test_args": dict(self._arguments)}
        self._run.bind(
            active={
                **common,
                "launch_service": self._service,
                "proc_info": self._proc_info,
                "proc_output": self._proc_output,
            },
            post_shutdown={
                **common,
                "proc_info": self._proc_info.recorded,
                "proc_output": self._proc_output.recorded,
            },
        )

    def _observed(self, description: LaunchDescription) -> LaunchDescription:
        def started(event: ProcessStarted, _context: Any) -> None:
            self._proc_output.track(event.process_name)
            self._proc_info.append(event)

        def exited(event: ProcessExited, _context: Any) -> None:
            self._proc_info.append(event)

        write = self._proc_output.append
        return LaunchDescription(
            [
                RegisterEventHandler(OnProcessStart(on_start=started)),
                RegisterEventHandler(OnProcessExit(on_exit=exited)),
                RegisterEventHandler(OnProcessIO(on_stdout=write, on_stderr=write)),
                IncludeLaunchDescription(
                    LaunchDescriptionSource(launch_description=description),
                    launch_arguments=self._arguments,
                ),
            ]
        )

    def _run_active(self) -> None:
        try:
            if not self._may_begin.wait(self._run.ready_timeout_s):
                self._is_late = True
                return
            if not self._ended:
                _run_cases(self._active, self._result)
                self._completed.set()
        finally:
            self._service.shutdown()

    def _died(self, test_still_runs: bool) -> RunResult:
        reason = f"{NOT_READY}\n{LAUNCH_DIED}" if self._is_late else LAUNCH_DIED
        ended = [
            event
            for event in self._proc_info
            if isinstance(event, ProcessExited) and event.returncode != 0
        ]
        for event in ended:
            reason += f"\nProcess '{event.process_name}' exited with {event.returncode}"
        print(reason)
        for event in ended:
            title = f"##### '{event.process_name}' output #####"
            output = decode(self._proc_output[event.process_name])
            print(title, output, "#" * len(title), sep="\n", flush=True)
        result = RunResult(
            self._run.name,
            self._result.case_results(self._active, reason)
            + _new_result().case_results(self._post_shutdown, reason),
        )
        if result.wasSuccessful():  # nothing else would show that the launch died
            result = same_result(self._run.name, self._active, "error", reason)
        if test_still_runs:
            raise LaunchDiedError(result)
        return result


class LaunchTestRunner:
    """Runs launches one after another.

    Args:
        test_runs: The launches.
        launch_file_arguments: Arguments of the form `name:=value`.
        debug: Print what the launch does.

    Raises:
        ValueError: If an argument has another form.
    """

    def __init__(
        self,
        test_runs: Iterable[TestRun],
        launch_file_arguments: Iterable[str] = (),
        debug: bool = False,
    ) -> None:
        self._test_runs = list(test_runs)
        self._arguments = parse_launch_arguments(launch_file_arguments)
        self._debug = debug

    def run(self, cases: Collection[unittest.TestCase] | None = None) -> list[RunResult]:
        """Run on the main thread.

        Args:
            cases: Run only these; None runs all.

        Returns:
            The outcome of each launch.
        """
        results: list[RunResult] = []
        for index, run in enumerate(self._test_runs):
            if len(self._test_runs) > 1:
                print(f"\nStarting test run {run.name}", flush=True)
            selected = run.cases if cases is None else [case for case in run.cases if case in cases]
            try:
                results.append(_Launch(run, selected, self._arguments, self._debug).execute())
            except unittest.SkipTest as skip:
                print(f"{run.name} is skipped: {skip}")
                results.append(same_result(run.name, selected, "skipped", str(skip)))
            except LaunchDiedError as died:
                results.append(died.result)
                results.extend(
                    same_result(later.name, later.cases, "error", f"not run: {LAUNCH_DIED}")
                    for later in self._test_runs[index + 1 :]
                )
                break
        return results


def _new_result() -> TestResult:
    runner = unittest.TextTestRunner(verbosity=2)
    return TestResult(runner.stream, runner.descriptions, runner.verbosity)


def _run_cases(cases: Iterable[unittest.TestCase], result: TestResult) -> None:
    result.startTestRun()
    unittest.TestSuite(cases).run(result)
    result.stopTestRun()
    result.printErrors()
