"""The pytest plugin: what it collects, how it reports, what it leaves alone."""

import subprocess
from collections.abc import Callable

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_all_pass_one_item_a_method(run_pytest: Command) -> None:
    done = run_pytest("passing")
    assert done.returncode == 0, done.stdout
    assert "7 passed" in done.stdout
    assert "PASSED passing.py::TestActive.test_output" in done.stdout
    assert "PASSED passing.py::TestAfter.test_exit_codes" in done.stdout


def test_launch_arguments(run_pytest: Command) -> None:
    done = run_pytest("passing", "--launch-args", "mood:=angry", "-s", "--")
    assert done.returncode == 0, done.stdout
    assert "ready angry" in done.stdout + done.stderr


def test_each_failure_is_named_and_explained(run_pytest: Command) -> None:
    done = run_pytest("failing")
    assert done.returncode == 1
    assert "6 failed, 2 passed, 1 skipped" in done.stdout
    assert "FAILED failing.py::TestActive.test_failure" in done.stdout
    assert "FAILED failing.py::TestAfter.test_failure_after" in done.stdout
    assert "the failure of a test" in done.stdout
    assert "the reason of a skip" in done.stdout


def test_selection_runs_only_what_is_selected(run_pytest: Command) -> None:
    done = run_pytest("failing", "-k", "TestActive and test_pass")
    assert done.returncode == 0, done.stdout
    assert "1 passed, 8 deselected" in done.stdout
    assert "the error of a test" not in done.stdout


def test_parametrized_launches(run_pytest: Command) -> None:
    done = run_pytest("parametrized")
    assert done.returncode == 1
    assert "1 failed, 5 passed" in done.stdout
    assert "FAILED parametrized.py::TestAfter.test_only_zero_passes[3, three]" in done.stdout


def test_mark_selects_and_tests_after_the_launch_get_a_whole_launch(run_pytest: Command) -> None:
    done = run_pytest("parametrized", "-m", "rostest", "-k", "test_word")
    assert done.returncode == 0, done.stdout
    assert "2 passed, 4 deselected" in done.stdout


def test_death_of_the_process(run_pytest: Command) -> None:
    done = run_pytest("crashing")
    assert done.returncode == 1
    assert "3 failed, 1 passed" in done.stdout
    assert "Processes under test stopped before tests completed" in done.stdout


def test_skipped_launch(run_pytest: Command) -> None:
    done = run_pytest("skipped")
    assert done.returncode == 0, done.stdout
    assert "1 skipped" in done.stdout
    assert "no robot here" in done.stdout


def test_wrong_description_fails_its_tests(run_pytest: Command) -> None:
    done = run_pytest("without_ready")
    assert done.returncode == 1
    assert "ReadyToTest" in done.stdout


def test_file_without_mark_is_an_ordinary_test_file(run_pytest: Command) -> None:
    done = run_pytest("not_marked")
    assert done.returncode == 0, done.stdout
    assert "PASSED not_marked.py::test_plain" in done.stdout
