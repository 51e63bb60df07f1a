"""ExecuteProcess: output, environment, names, exit, respawn."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from launch.actions import (
    EmitEvent,
    ExecuteProcess,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    SetLaunchConfiguration,
    Shutdown,
    TimerAction,
)
from launch.event_handlers import OnProcessExit, OnProcessIO, OnProcessStart
from launch.events import matches_action
from launch.events.process import ShutdownProcess, SignalProcess
from launch.substitutions import LaunchConfiguration, LocalSubstitution, TextSubstitution

Run = Callable[..., int]


def python(code: str, **keywords: object) -> ExecuteProcess:
    return ExecuteProcess(cmd=[sys.executable, "-c", code], **keywords)


def test_output_goes_where_it_is_asked_to(run: Run, capsys, log_folder: Path) -> None:
    code = "import sys; print('to out'); print('to err', file=sys.stderr)"
    run(python(code, name="quiet"), python(code, name="loud", output="screen"))
    screen = capsys.readouterr().out
    log = next(log_folder.rglob("launch.log")).read_text()
    assert [line.split("-")[0][1:] for line in screen.splitlines() if "to out" in line] == ["loud"]
    assert sum("to err" in line for line in screen.splitlines()) == 2
    assert log.count("to out") == log.count("to err") == 2


def test_own_log_files(run: Run, capsys, log_folder: Path) -> None:
    run(python("print('mine')", name="own", output="own_log"))
    files = {path.name.split("-", 1)[0] for path in log_folder.rglob("own*.log")}
    assert files == {"own"}
    assert any("mine" in path.read_text() for path in log_folder.rglob("own*.log"))
    assert "mine" not in capsys.readouterr().out


@pytest.mark.parametrize("output", ["nowhere", {"stdin": "screen"}, {"both": ["printer"]}])
def test_unknown_output_is_refused(run: Run, capsys, output: object) -> None:
    assert run(ExecuteProcess(cmd=["true"], output=output)) == 1
    assert "is unknown" in capsys.readouterr().out


def test_lines_are_whole_whatever_the_chunks(run: Run, capsys) -> None:
    code = "import os, time\nfor c in 'ab\\ncd': os.write(1, c.encode()); time.sleep(0.02)"
    run(python(code, name="slow", output="screen", output_format="<{line}>"))
    assert [line for line in capsys.readouterr().out.splitlines() if line[0] == "<"] == [
        "<ab>",
        "<cd>",
    ]


def test_much_output_is_complete(run: Run) -> None:
    action = python("print('x' * 9999 + '\\n', end='', flush=True)\n" * 200, cached_output=True)
    run(action)
    assert action.get_stdout() == ("x" * 9999 + "\n") * 200


def test_cached_output_has_to_be_asked_for() -> None:
    with pytest.raises(RuntimeError, match="cached_output"):
        python("").get_stdout()


def test_a_terminal_is_emulated(run: Run) -> None:
    code = "import sys; print(sys.stdout.isatty(), sys.stderr.isatty())"
    plain, terminal = (python(code, emulate_tty=tty, cached_output=True) for tty in (False, True))
    run(plain, terminal)
    assert plain.get_stdout() == "False False\n"
    assert terminal.get_stdout() == "True True\r\n"


def test_environment_directory_prefix_and_shell(run: Run, tmp_path: Path) -> None:
    code = "import os; print(os.getcwd(), os.environ.get('A'), os.environ.get('HOME'))"
    replaced = python(code, env={"A": TextSubstitution(text="1")}, cached_output=True)
    added = python(code, additional_env={"A": "2"}, cwd=str(tmp_path), cached_output=True)
    shell = ExecuteProcess(cmd=["echo", "a", "&&", "echo", "b"], shell=True, cached_output=True)
    prefixed = ExecuteProcess(cmd=["c"], prefix='echo "x y"', cached_output=True)
    run(replaced, added, shell, prefixed)
    assert replaced.get_stdout().split()[1:] == ["1", "None"]
    assert added.get_stdout().split()[:2] == [str(tmp_path), "2"]
    assert shell.get_stdout() == "a\nb\n"
    assert prefixed.get_stdout() == "x y c\n"


def test_the_launch_prefix_applies_to_what_the_filter_matches(run: Run) -> None:
    chosen = ExecuteProcess(cmd=["true"], cached_output=True)
    other = ExecuteProcess(cmd=["false"], cached_output=True)
    run(
        SetLaunchConfiguration("launch-prefix", "echo"),
        SetLaunchConfiguration("launch-prefix-filter", "tr.*"),
        chosen,
        other,
    )
    assert chosen.get_stdout() == "true\n"
    assert other.return_code == 1


def test_labels_count_up(run: Run, capsys) -> None:
    first, second = ExecuteProcess(cmd=["true"]), ExecuteProcess(cmd=["true"], name="other")
    run(first, second)
    number = int(first.name.removeprefix("true-"))
    assert second.name == f"other-{number + 1}"
    out = capsys.readouterr().out
    assert f"[INFO] [true-{number}]: process started with pid [" in out
    assert f"[INFO] [true-{number}]: process has finished cleanly [pid " in out


def test_a_dying_process_does_not_fail_the_launch(run: Run, capsys) -> None:
    assert run(ExecuteProcess(cmd=["sh", "-c", "exit 7"])) == 0
    assert "exit code 7, cmd 'sh -c exit 7']." in capsys.readouterr().out


def test_a_missing_command_does_not_fail_the_launch(run: Run, capsys) -> None:
    assert run(ExecuteProcess(cmd=["no-such-command"])) == 0
    assert "exception occurred while executing process" in capsys.readouterr().out


def test_other_errors_of_starting_do_fail_it(run: Run, capsys) -> None:
    assert run(ExecuteProcess(cmd=["echo", "a\0b"])) == 1
    assert "Caught exception in launch" in capsys.readouterr().out


@pytest.mark.parametrize("respawn", [True, LaunchConfiguration("again", default="true")])
def test_respawn_counts_its_retries(run: Run, respawn: object) -> None:
    exits: list[int] = []
    action = ExecuteProcess(
        cmd=["true"],
        respawn=respawn,
        respawn_max_retries=2,
        on_exit=lambda event, context: exits.append(event.pid),
    )
    run(action)
    assert len(set(exits)) == len(exits) == 3


def test_shutdown_ends_the_wait_for_respawn(run: Run) -> None:
    action = ExecuteProcess(cmd=["true"], respawn=True, respawn_delay=60.0)
    shutdown = RegisterEventHandler(OnProcessExit(target_action=action, on_exit=[Shutdown()]))
    assert run(shutdown, action) == 0


def test_events_of_a_process(run: Run) -> None:
    seen: list[object] = []
    action = python("import os; os.write(1, b'o'); os.write(2, b'e'); os._exit(3)")
    run(
        RegisterEventHandler(
            OnProcessStart(target_action=action, on_start=lambda e, c: seen.append("start"))
        ),
        RegisterEventHandler(
            OnProcessIO(
                target_action=action,
                on_stdout=lambda event: seen.append(event.text),
                on_stderr=lambda event: seen.append(event.text),
            )
        ),
        RegisterEventHandler(
            OnProcessExit(target_action=action, on_exit=lambda e, c: seen.append(e.returncode))
        ),
        action,
    )
    assert seen[0] == "start"
    assert set(seen[1:3]) == {b"o", b"e"}
    assert seen[3:] == [3]


def test_handlers_match_their_target_only(run: Run) -> None:
    exits: list[str] = []
    target, other = ExecuteProcess(cmd=["true"]), ExecuteProcess(cmd=["false"])
    run(
        RegisterEventHandler(
            OnProcessExit(
                target_action=target, on_exit=lambda e, c: exits.append(f"target {e.returncode}")
            )
        ),
        RegisterEventHandler(
            OnProcessExit(
                target_action=lambda action: action is other,
                on_exit=lambda e, c: exits.append(f"predicate {e.returncode}"),
            )
        ),
        target,
        other,
    )
    assert sorted(exits) == ["predicate 1", "target 0"]


def test_on_exit_visits_actions_with_the_event_in_the_locals(run: Run, capsys) -> None:
    run(
        ExecuteProcess(
            cmd=["false"], on_exit=[LogInfo(msg=["code ", LocalSubstitution("event.returncode")])]
        )
    )
    assert "[INFO] [launch.user]: code 1" in capsys.readouterr().out


def test_a_process_is_signalled_and_shut_down_by_events(run: Run) -> None:
    code = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGUSR1, lambda *_: os.write(1, b'usr1'))\n"
        "os.write(1, b'ready')\ntime.sleep(60)"
    )
    action = python(code, cached_output=True)
    matcher = matches_action(action)

    def react(event) -> EmitEvent | None:
        if event.text == b"ready":
            event = SignalProcess(signal_number="SIGUSR1", process_matcher=matcher)
            return EmitEvent(event=event)
        return EmitEvent(event=ShutdownProcess(process_matcher=matcher))

    run(RegisterEventHandler(OnProcessIO(target_action=action, on_stdout=react)), action)
    assert action.get_stdout() == "readyusr1"
    assert action.return_code == -2


def test_nothing_starts_during_shutdown(run: Run) -> None:
    late = ExecuteProcess(cmd=["sleep", "60"])
    run(
        ExecuteProcess(cmd=["sleep", "60"], on_exit=[late]),
        TimerAction(period=0.1, actions=[Shutdown()]),
    )
    assert late.process_details is None


def test_an_action_runs_once(run: Run, capsys) -> None:
    action = ExecuteProcess(cmd=["true"])
    assert run(action, OpaqueFunction(function=lambda context: [action])) == 1
    assert "executed more than once" in capsys.readouterr().out


def test_a_string_is_no_command() -> None:
    with pytest.raises(TypeError, match="must be a list of arguments"):
        ExecuteProcess(cmd="echo hello")


def test_an_unknown_signal_is_refused() -> None:
    with pytest.raises(ValueError, match="SIGNONE"):
        SignalProcess(signal_number="SIGNONE", process_matcher=lambda action: True)
