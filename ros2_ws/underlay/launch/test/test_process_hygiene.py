"""No process of a launch outlives it, and each is told to end once."""

import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from launch._guardian import Guardian

# The marker is an argument that the interpreter ignores, for the tests to find the process.
SLEEPER = "ExecuteProcess(cmd=[sys.executable, '-c', {code!r}, marker], output='screen')"
READY_THEN_SLEEP = "print('ready', flush=True); import time; time.sleep(60)"
COUNTS_INTERRUPTS = """
import signal, sys, time
count = 0
def on_interrupt(*_):
    global count
    count += 1
signal.signal(signal.SIGINT, on_interrupt)
print('ready', flush=True)
while not count:
    time.sleep(0.01)
time.sleep(0.3)
print('interrupts:', count, flush=True)
"""
IGNORES_GENTLE_SIGNALS = """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('ready', flush=True)
time.sleep(60)
"""
WITH_GRANDCHILDREN = """
import subprocess, sys, time
sleep = [sys.executable, '-c', 'import time; time.sleep(60)', sys.argv[1]]
subprocess.Popen(sleep)
subprocess.Popen(sleep, start_new_session=True)
print('ready', flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_signals_shut_the_launch_down_in_order(launcher, number: int) -> None:
    launcher.start(f"[{SLEEPER.format(code=READY_THEN_SLEEP)}]")
    launcher.wait_for_line("ready")
    code, output = launcher.end(number)
    assert code == 0
    assert "sending signal 'SIGINT' to process[" in output
    assert launcher.running() == []


def test_a_child_gets_the_interrupt_once_from_a_terminal(launcher) -> None:
    launcher.start(f"[{SLEEPER.format(code=COUNTS_INTERRUPTS)}]")
    launcher.wait_for_line("ready")
    # What a terminal does: the whole foreground group gets it.
    os.killpg(launcher.process.pid, signal.SIGINT)
    output, _ = launcher.process.communicate(timeout=15)
    assert "interrupts: 1" in output
    assert "user interrupted with ctrl-c (SIGINT)" in output


def test_a_second_interrupt_is_ignored(launcher) -> None:
    launcher.start(f"[{SLEEPER.format(code=COUNTS_INTERRUPTS)}]")
    launcher.wait_for_line("ready")
    launcher.process.send_signal(signal.SIGINT)
    launcher.wait_for_line("sending signal 'SIGINT'")
    code, output = launcher.end(signal.SIGINT)
    assert code == 0
    assert "again, ignoring..." in output
    assert "interrupts: 1" in output


@pytest.mark.parametrize("code", [READY_THEN_SLEEP, WITH_GRANDCHILDREN])
def test_nothing_survives_a_killed_launcher(launcher, guardians, wait_until, code: str) -> None:
    before = guardians()
    launcher.start(f"[{SLEEPER.format(code=code)}]")
    launcher.wait_for_line("ready")
    assert launcher.running()
    launcher.end(signal.SIGKILL)
    wait_until(lambda: not launcher.running(), "children end")
    wait_until(lambda: guardians() <= before, "the guardian ends")


def test_grandchildren_end_with_the_launch(launcher, wait_until) -> None:
    launcher.start(f"[{SLEEPER.format(code=WITH_GRANDCHILDREN)}]")
    launcher.wait_for_line("ready")
    wait_until(lambda: len(launcher.running()) == 3, "the child and its two children run")
    assert launcher.end(signal.SIGINT)[0] == 0
    assert launcher.running() == []


def test_stubborn_processes_are_escalated(launcher) -> None:
    launcher.start(
        f"[SetLaunchConfiguration('sigterm_timeout', '0.2'),"
        f" SetLaunchConfiguration('sigkill_timeout', '0.3'),"
        f" {SLEEPER.format(code=IGNORES_GENTLE_SIGNALS)}]"
    )
    launcher.wait_for_line("ready")
    code, output = launcher.end(signal.SIGTERM)
    assert code == 0
    sent = re.findall("sending signal '(SIG[A-Z]+)'", output)
    assert sent == ["SIGINT", "SIGTERM", "SIGKILL"]
    assert "failed to terminate '0.2' seconds after receiving 'SIGINT'" in output
    assert "failed to terminate '0.3' seconds after receiving 'SIGTERM'" in output
    assert "exit code -9" in output


def test_no_descriptor_and_no_zombie_is_left(run) -> None:
    from launch.actions import ExecuteProcess

    run(ExecuteProcess(cmd=["true"]))  # what is opened once, the log files, stays open

    def held() -> tuple[list[str], list[psutil.Process]]:
        return sorted(os.listdir("/proc/self/fd")), psutil.Process().children()

    before = held()
    run(*(ExecuteProcess(cmd=["echo", "x"], emulate_tty=tty) for tty in (False, True)))
    assert held() == before


def test_the_guardian_escalates_and_removes_the_folder(tmp_path: Path) -> None:
    guardian = Guardian(grace_s=0.2)
    guardian.start()
    child = subprocess.Popen(
        [sys.executable, "-c", IGNORES_GENTLE_SIGNALS],
        stdout=subprocess.PIPE,
        env={**os.environ, **guardian.environment()},
        start_new_session=True,
    )
    guardian.watch(child.pid)
    assert child.stdout.readline() == b"ready\n"
    folder = guardian.temporary_folder()
    (folder / "file").write_text("x")
    guardian.close()
    assert child.wait(timeout=0) == -signal.SIGKILL
    child.stdout.close()
    assert not folder.exists()


@pytest.mark.parametrize("leader_ends_first", [False, True])
def test_the_guardian_ends_unmarked_members_of_a_session(leader_ends_first: bool) -> None:
    guardian = Guardian(grace_s=0.2)
    guardian.start()
    code = (
        "import subprocess, sys, time\n"
        'member = subprocess.Popen([sys.executable, "-c", sys.argv[1]], env={"HOME": "/tmp"})\n'
        "print(member.pid, flush=True)\n"
        "input()\n"
    )
    leader = subprocess.Popen(
        [sys.executable, "-c", code, IGNORES_GENTLE_SIGNALS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    guardian.watch(leader.pid)
    member = os.pidfd_open(int(leader.stdout.readline()))
    assert leader.stdout.readline() == b"ready\n"
    if leader_ends_first:
        leader.stdin.write(b"\n")
        leader.stdin.flush()
        os.waitid(os.P_PID, leader.pid, os.WEXITED | os.WNOWAIT)
        guardian.forget(leader.pid)
    guardian.close()
    assert select.select([member], [], [], 0)[0], "the member has ended"
    os.close(member)
    leader.communicate()


def test_the_guardian_spares_processes_of_others() -> None:
    guardian = Guardian(grace_s=0.2)
    guardian.start()
    bystander = subprocess.Popen(["sleep", "60"])
    ended = subprocess.Popen(["true"], start_new_session=True)
    guardian.watch(ended.pid)
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    guardian.forget(ended.pid)
    ended.wait()
    guardian.close()
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_nothing_starts_without_the_guardian(run, capsys) -> None:
    from launch.actions import ExecuteProcess, OpaqueFunction

    def kill_guardian(context) -> None:
        context._guardian.start()
        context._guardian._process.kill()
        context._guardian._process.wait()

    assert run(OpaqueFunction(function=kill_guardian), ExecuteProcess(cmd=["sleep", "60"])) == 1
    assert "guardian process of the launch has ended unexpectedly" in capsys.readouterr().out
