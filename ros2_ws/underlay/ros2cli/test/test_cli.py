"""The command line itself, and the verbs that need no graph."""

import os
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from ros2_command import Ros2
from ros2cli import cli
from ros2cli.errors import CommandError
from ros2cli.local_participants import count_local_participants
from ros2cli.topic_rates import DelayWindow, IntervalWindow, SizeWindow
from ros2cli.verbs.launch import parse_launch_arguments


def install(prefix: Path, package: str) -> Path:
    """Lay out an installed package and return its prefix."""
    marker = prefix / "share" / "ament_index" / "resource_index" / "packages" / package
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.touch()
    (prefix / "share" / package / "launch").mkdir(parents=True)
    (prefix / "share" / package / "package.xml").write_text(
        f"<package><name>{package}</name><version>1.2.3</version></package>\n"
    )
    (prefix / "lib" / package).mkdir(parents=True)
    return prefix


def write_script(path: Path, body: str) -> None:
    path.write_text(f"#!{sys.executable}\n{textwrap.dedent(body)}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def demo(ros2: Ros2, tmp_path: Path) -> Ros2:
    """The command, with a package `demo` in the index."""
    prefix = install(tmp_path / "demo_prefix", "demo")
    write_script(
        prefix / "lib" / "demo" / "tool",
        """
        import sys
        print(sys.argv[1:], flush=True)
        sys.exit(7)
        """,
    )
    write_script(
        prefix / "lib" / "demo" / "waiter",
        """
        import signal, sys
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))
        print("waiting", flush=True)
        signal.pause()
        """,
    )
    path = os.pathsep.join([str(prefix), ros2.environment["AMENT_PREFIX_PATH"]])
    return Ros2(ros2.environment | {"AMENT_PREFIX_PATH": path}, tmp_path)


def prefix_of(demo: Ros2) -> Path:
    return demo.folder / "demo_prefix"


@pytest.mark.parametrize("group", ["", *cli.GROUPS])
def test_every_group_has_help(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([*group.split(), "--help"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: ros2 {group}".rstrip())


@pytest.mark.parametrize("arguments", [[], ["topic"], ["bag"]])
def test_without_a_verb_the_help_is_shown(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 0
    assert capsys.readouterr().out.startswith("usage: ros2")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["daemon", "stop"], "daemon"),
        (["pkg", "create", "x"], "create"),
        (["topic", "list", "--nope"], "--nope"),
        (["topic", "list", "--verb"], "--verb"),
        (["topic", "pub", "-r", "0", "/x", "std_msgs/msg/String"], "positive number"),
        (["topic", "pub", "-1", "-t", "3", "/x", "std_msgs/msg/String"], "not allowed with"),
        (["bag", "record", "-s", "sqlite3", "/x"], "sqlite3"),
        (["topic", "echo", "/x", "--qos-reliability", "maybe"], "maybe"),
    ],
)
def test_wrong_usage_names_what_is_wrong(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert end.value.code == 2
    assert named in capsys.readouterr().err


@pytest.mark.parametrize("group", ["pkg", "run", "launch", "interface"])
def test_verbs_without_a_graph_start_without_rclpy(ros2: Ros2, group: str) -> None:
    program = (
        "import sys, ros2cli.cli\n"
        f"try: ros2cli.cli.main(['{group}', '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit('rclpy' in sys.modules)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], env=ros2.environment, stdout=subprocess.DEVNULL
    )
    assert result.returncode == 0


def test_packages(demo: Ros2) -> None:
    names = demo.output("pkg", "list").splitlines()
    assert names == sorted(names)
    assert {"demo", "std_msgs"} <= set(names)
    assert demo.output("pkg", "prefix", "demo") == f"{prefix_of(demo)}\n"
    assert demo.output("pkg", "prefix", "demo", "--share") == f"{prefix_of(demo)}/share/demo\n"
    assert demo.output("pkg", "executables", "demo") == "demo tool\ndemo waiter\n"
    assert demo.output("pkg", "executables", "demo", "--full-path") == (
        f"{prefix_of(demo)}/lib/demo/tool\n{prefix_of(demo)}/lib/demo/waiter\n"
    )
    assert demo.output("pkg", "xml", "demo", "-t", "version") == "1.2.3\n"
    assert demo.output("pkg", "xml", "demo").startswith("<package>")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("pkg", "prefix", "nope"), "Package 'nope' not found\n"),
        (("pkg", "xml", "demo", "-t", "nope"), "No tag 'nope'"),
        (("run", "nope", "tool"), "Package 'nope' not found\n"),
        (("run", "demo", "nope"), "it has: tool, waiter\n"),
        (("run", "--prefix", "/nowhere/gdb", "demo", "tool"), "Cannot start /nowhere/gdb"),
        (("interface", "show", "std_msgs/msg/Nope"), "Could not find the interface"),
        (("interface", "show", "String"), "Expected three parts"),
        (("interface", "package", "nope"), "Unknown package 'nope'\n"),
    ],
)
def test_what_is_not_there_is_named(demo: Ros2, arguments: tuple[str, ...], named: str) -> None:
    assert named in demo.failure(*arguments)


def test_run_passes_arguments_and_exit_code(demo: Ros2) -> None:
    result = demo.run("run", "demo", "tool", "--flag", "-x", "--ros-args", "-p", "a:=1")
    assert result.stdout == "['--flag', '-x', '--ros-args', '-p', 'a:=1']\n"
    assert result.returncode == 7
    assert demo.run("run", "--prefix", "env", "demo", "tool", "y").stdout == "['y']\n"


def test_run_passes_signals(demo: Ros2) -> None:
    process = demo.start("run", "demo", "waiter")
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert process.returncode == 9


def test_interfaces(ros2: Ros2) -> None:
    assert ros2.output("interface", "package", "std_srvs") == (
        "std_srvs/srv/Empty\nstd_srvs/srv/SetBool\nstd_srvs/srv/Trigger\n"
    )
    assert ros2.output("interface", "list", "-s").startswith("Services:\n    ")
    assert "std_srvs\n" in ros2.output("interface", "packages", "-s")
    assert "std_srvs\n" not in ros2.output("interface", "packages", "-m")


def test_show_expands_nested_types(ros2: Ros2) -> None:
    assert ros2.output("interface", "show", "geometry_msgs/msg/PointStamped", "--no-comments") == (
        "std_msgs/Header header\n"
        "\tbuiltin_interfaces/Time stamp\n"
        "\t\tint32 sec\n"
        "\t\tuint32 nanosec\n"
        "\tstring frame_id\n"
        "Point point\n"
        "\tfloat64 x\n"
        "\tfloat64 y\n"
        "\tfloat64 z\n"
    )
    default = ros2.output("interface", "show", "geometry_msgs/msg/PointStamped")
    assert default.startswith("# ")
    assert "\t#" not in default
    everything = ros2.output(
        "interface", "show", "geometry_msgs/msg/PointStamped", "--all-comments"
    )
    assert "\t#" in everything
    assert "---\n" in ros2.output("interface", "show", "std_srvs/srv/SetBool")


def test_proto_prints_the_defaults(ros2: Ros2) -> None:
    assert ros2.output("interface", "proto", "geometry_msgs/msg/Point") == (
        '"x: 0.0\ny: 0.0\nz: 0.0\n"\n'
    )
    assert ros2.output("interface", "proto", "std_srvs/srv/SetBool", "--no-quotes") == (
        "data: false\n\n"
    )


def test_launch_arguments_are_split_at_the_first_sign() -> None:
    texts = ["a:=1", "b:=x:=y", "a:=2"]
    assert parse_launch_arguments(texts) == {"a": "2", "b": "x:=y"}


@pytest.mark.parametrize("text", ["a", ":=1", "a:=", "a=1", ""])
def test_malformed_launch_arguments_are_refused(text: str) -> None:
    with pytest.raises(CommandError, match="expected format '<name>:=<value>'"):
        parse_launch_arguments([text])


LAUNCH_FILE = """
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess
from launch.substitutions import LaunchConfiguration


def generate_launch_description():
    return LaunchDescription([
        DeclareLaunchArgument('word', default_value='five', description='What to say'),
        ExecuteProcess(cmd=['echo', 'said', LaunchConfiguration('word')], output='screen'),
    ])
"""


@pytest.fixture
def launchable(demo: Ros2) -> Ros2:
    """The command, with a launch file in `demo`, and the launch package of this tree if needed."""
    (prefix_of(demo) / "share" / "demo" / "launch" / "say.launch.py").write_text(LAUNCH_FILE)
    return demo


def test_launch_runs_a_file_of_a_package(launchable: Ros2) -> None:
    assert "said five" in launchable.output("launch", "demo", "say.launch.py")


def test_launch_runs_a_path_with_arguments(launchable: Ros2) -> None:
    path = prefix_of(launchable) / "share" / "demo" / "launch" / "say.launch.py"
    assert "said nine" in launchable.output("launch", str(path), "word:=six", "word:=nine")
    assert "said six" in launchable.output(
        "launch", "-a", "-n", "demo", "say.launch.py", "word:=six"
    )


def test_launch_shows_arguments(launchable: Ros2) -> None:
    assert launchable.output("launch", "demo", "say.launch.py", "--show-args") == (
        "Arguments (pass arguments as '<name>:=<value>'):\n"
        "\n"
        "    'word':\n"
        "        What to say\n"
        "        (default: 'five')\n"
    )


def test_launch_prints_a_description(launchable: Ros2) -> None:
    assert "DeclareLaunchArgument" in launchable.output("launch", "-p", "demo", "say.launch.py")


def test_launch_refuses_what_it_cannot_find(launchable: Ros2) -> None:
    assert launchable.failure("launch", "nope", "say.launch.py") == "Package 'nope' not found\n"
    assert "'nope.launch.py' was not found" in launchable.failure(
        "launch", "demo", "nope.launch.py"
    )
    assert "No launch file 'nope'" in launchable.failure("launch", "nope")
    share = prefix_of(launchable) / "share" / "demo"
    (share / "say.launch.py").write_text(LAUNCH_FILE)
    assert "found more than once" in launchable.failure("launch", "demo", "say.launch.py")
    (share / "broken.launch.py").write_text("import nothing_of_the_kind\n")
    assert "Cannot load" in launchable.failure("launch", "-s", "demo", "broken.launch.py")
    assert launchable.run("launch", "demo", "broken.launch.py").returncode == 1


def test_interval_window() -> None:
    window = IntervalWindow(3)
    window.add(0.0)
    assert window.text() is None
    for time_s in (10.0, 10.5, 11.5):
        window.add(time_s)
    assert window.text() == (
        "average rate: 1.333\n\tmin: 0.500s max: 1.000s std dev: 0.25000s window: 3"
    )
    assert window.text() is None


def test_size_window() -> None:
    window = SizeWindow(10)
    window.add(0.0, 1000)
    assert window.text(1.0) is None
    window.add(0.5, 3000)
    assert window.text(2.0) == (
        "2.00 KB/s from 2 messages\n\tMessage size mean: 2.00 KB min: 1.00 KB max: 3.00 KB"
    )


def test_delay_window() -> None:
    window = DelayWindow(2)
    assert window.text() is None
    window.add(0.25)
    window.add(0.75)
    assert window.text() == (
        "average delay: 0.500\n\tmin: 0.250s max: 0.750s std dev: 0.25000s window: 2"
    )


def test_local_participants_are_counted(graph: Ros2) -> None:
    # The fixture node is there; commands of other tests have ended.
    assert count_local_participants(int(graph.environment["ROS_DOMAIN_ID"])) >= 1
