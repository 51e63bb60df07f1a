"""The command `launch_test`: exit codes, reports, and what it says of a launch that went wrong."""

import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]
EXAMPLES = Path(__file__).parent / "examples"


def outcomes(report: Path) -> dict[str, str]:
    """Read the outcome of each case from a report."""
    return {
        f"{case.get('classname')}.{case.get('name')}": case[0].tag if len(case) else "passed"
        for case in ElementTree.parse(report).iter("testcase")
    }


def test_all_pass(launch_test: Command) -> None:
    done = launch_test("passing")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 tests in 1 launches, 0 failed" in done.stdout


def test_launch_arguments_reach_the_launch_and_the_tests(launch_test: Command) -> None:
    done = launch_test("passing", "mood:=angry")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ready angry" in done.stdout


def test_show_args_launches_nothing(launch_test: Command) -> None:
    done = launch_test("passing", "--show-args")
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "Arguments (pass arguments as '<name>:=<value>'):\n\n"
        "    'mood':\n        How it feels.\n        (default: 'calm')\n"
    )


def test_each_outcome_is_reported(launch_test: Command, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    done = launch_test("failing", "--junit-xml", str(report), "--package-name", "robot")
    assert done.returncode == 1
    assert outcomes(report) == {
        "TestActive.test_error": "error",
        "TestActive.test_failure": "failure",
        "TestActive.test_missing_argument": "error",
        "TestActive.test_pass": "passed",
        "TestActive.test_skip": "skipped",
        "TestActive.test_sub_tests": "failure",
        "TestBrokenFixture.test_never_runs": "error",
        "TestAfter.test_failure_after": "failure",
        "TestAfter.test_pass_after": "passed",
    }
    root = ElementTree.parse(report).getroot()
    counts = {"tests": "9", "failures": "3", "errors": "3", "skipped": "1"}
    assert counts.items() <= root.attrib.items()
    assert root.get("name") == "robot.failing"
    assert root[0].get("name") == "robot.failing.launch_tests"
    text = report.read_text()
    for detail in (
        "the error of a test",
        "the failure of a test",
        "no_such_argument",
        "number=1",
        "the error of a fixture",
        "the failure after the launch",
    ):
        assert detail in text
    assert "FAILED: robot.failing.launch_tests: TestActive.test_failure" in done.stdout


def test_death_of_the_process_ends_the_wait_and_is_explained(
    launch_test: Command, tmp_path: Path
) -> None:
    report = tmp_path / "report.xml"
    done = launch_test("crashing", "--junit-xml", str(report))
    assert done.returncode == 1
    assert "Processes under test stopped before tests completed" in done.stdout
    assert "exited with 1" in done.stdout
    assert "the last words" in done.stdout
    results = outcomes(report)
    assert results.pop("TestActive.test_a_passes_before") == "passed"
    assert results.pop("TestActive.test_b_waits") in ("failure", "error")
    assert results == {
        "TestActive.test_c_never_runs": "error",
        "TestAfter.test_after_never_runs": "error",
    }


def test_hanging_test_is_abandoned_with_all_launches_after_it(
    launch_test: Command, tmp_path: Path
) -> None:
    report = tmp_path / "report.xml"
    done = launch_test("abandoned", "--junit-xml", str(report))
    assert done.returncode == 1
    assert outcomes(report) == {
        "TestActive.test_hangs[1]": "error",
        "TestActive.test_hangs[2]": "error",
    }


def test_launch_that_never_becomes_ready(launch_test: Command) -> None:
    done = launch_test("not_ready")
    assert done.returncode == 1
    assert "Timed out waiting for processes to start up" in done.stdout
    assert "ERROR: not_ready.not_ready.launch_tests: TestActive.test_never_runs" in done.stdout


def test_error_of_the_launch(launch_test: Command) -> None:
    done = launch_test("launch_error")
    assert done.returncode == 1
    assert "no-such-executable-anywhere" in done.stdout + done.stderr
    assert "TestActive.test_waits" in done.stdout


def test_stubborn_processes_are_killed(launch_test: Command) -> None:
    done = launch_test("stubborn")
    assert done.returncode == 0, done.stdout + done.stderr


def test_parametrized_launches(launch_test: Command, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    done = launch_test("parametrized", "--junit-xml", str(report))
    assert done.returncode == 1
    results = outcomes(report)
    assert results.pop("TestAfter.test_only_zero_passes[3, three]") == "failure"
    assert len(results) == 5
    assert set(results.values()) == {"passed"}
    assert "Starting test run parametrized.parametrized.launch_tests[0, zero]" in done.stdout


def test_process_started_within_a_test(launch_test: Command) -> None:
    done = launch_test("started_within")
    assert done.returncode == 0, done.stdout + done.stderr


def test_skipped_launch(launch_test: Command, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    done = launch_test("skipped", "--junit-xml", str(report))
    assert done.returncode == 0
    assert outcomes(report) == {"TestActive.test_never_runs": "skipped"}
    assert "no robot here" in done.stdout


@pytest.mark.parametrize(
    ("example", "arguments", "message"),
    [
        ("no_such_file", [], "does not exist"),
        ("passing", ["mood=angry"], "malformed launch argument 'mood=angry'"),
        ("without_ready", [], "ReadyToTest"),
        ("../conftest", [], "does not define generate_test_description"),
    ],
)
def test_wrong_use(launch_test: Command, example: str, arguments: list[str], message: str) -> None:
    done = launch_test(example, *arguments)
    assert done.returncode == 2
    assert message in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interruption_ends_everything(
    environment: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    example = tmp_path / "waiting.py"
    text = (EXAMPLES / "failing.py").read_text().split("class TestActive")[0]
    example.write_text(
        text
        + "class TestActive(unittest.TestCase):\n"
        + "    def test_waits(self, proc_output):\n"
        + "        print('waiting', flush=True)\n"
        + "        proc_output.waitFor('what is never written', timeout=100)\n"
    )
    command = [sys.executable, "-m", "launch_testing.launch_test", str(example)]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        assert any("waiting" in line for line in process.stdout)
        process.send_signal(number)
        rest = process.stdout.read()
        assert process.wait(timeout=30) == 1, rest
    assert "Processes under test stopped before tests completed" in rest
