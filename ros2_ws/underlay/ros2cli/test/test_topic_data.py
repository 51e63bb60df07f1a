"""Reading and writing topics."""

import re
import signal
import subprocess

import pytest
import yaml
from ros2_command import Ros2


def stop(process: subprocess.Popen[str], signum: int = signal.SIGINT) -> str:
    """Stop a command that has no end of its own; it must take that in good order."""
    process.send_signal(signum)
    output, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (signum, "")
    return output


def test_echo_prints_yaml(graph: Ros2) -> None:
    output = graph.output("topic", "echo", "--once", "/joints")
    assert output.endswith("---\n")
    message = yaml.safe_load(output.removesuffix("---\n"))
    assert message["name"] == ["a", "b"]
    assert message["position"] == [0.25, -0.5]


def test_echo_adapts_to_best_effort_and_latched_publishers(graph: Ros2) -> None:
    assert graph.output("topic", "echo", "--once", "/latched", "--timeout", "5") == (
        "data: kept\n---\n"
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--field", "point.x"), "1.5\n---\n"),
        (("--field", "point", "--csv"), "1.5,0.0,0.0\n"),
        (("--field", "header.frame_id"), "map\n---\n"),
        (("--field", "point", "--flow-style"), "{x: 1.5, y: 0.0, z: 0.0}\n---\n"),
    ],
)
def test_echo_shows_a_part(graph: Ros2, options: tuple[str, ...], expected: str) -> None:
    assert graph.output("topic", "echo", "--once", "/stamped", *options) == expected


def test_echo_raw(graph: Ros2) -> None:
    output = graph.output("topic", "echo", "--once", "--raw", "/chatter")
    assert re.fullmatch(r"b'\\x00\\x01.*hello\\x00.*'\n---\n", output)


def test_echo_runs_until_a_signal(graph: Ros2) -> None:
    process = graph.start("topic", "echo", "/chatter")
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(4)] == ["data: hello\n", "---\n"] * 2
    stop(process, signal.SIGTERM)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("/nowhere",), "does not appear to be published yet"),
        (("/bad name",), "Invalid topic name '/bad name'"),
        (("/chatter", "--once", "--field", "nope"), "String has data"),
        (("/nowhere", "std_msgs/msg/String", "--timeout", "0.2"), "No message on '/nowhere'"),
        (("/nowhere", "std_msgs/String/x"), "The type 'std_msgs/String/x' is invalid"),
        (("/chatter", "--raw", "--csv"), "cannot be combined"),
    ],
)
def test_echo_refuses(graph: Ros2, arguments: tuple[str, ...], named: str) -> None:
    assert named in graph.failure("topic", "echo", *arguments)


def test_a_closed_pipe_is_no_error(graph: Ros2) -> None:
    process = graph.start("topic", "echo", "/chatter")
    assert process.stdout is not None
    assert process.stdout.readline() == "data: hello\n"
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait(timeout=10) == 0


def test_pub_once_waits_for_its_subscription(graph: Ros2) -> None:
    reader = graph.start("topic", "echo", "--once", "/repeated", "--timeout", "15")
    output = graph.output(
        "topic",
        "pub",
        "--once",
        "/heard",
        "std_msgs/msg/String",
        "{data: 7}",
        "-w",
        "1",
        "--keep-alive",
        "0.5",
    )
    assert "publisher: beginning loop\npublishing #1: std_msgs.msg.String(data='7')\n\n" in output
    # The reader may have come later than the only message: send until it has one.
    writer = graph.start(
        "topic", "pub", "-r", "20", "-p", "0", "/heard", "std_msgs/msg/String", "{data: 7}"
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "publisher: beginning loop\n"
    assert reader.communicate(timeout=20)[0] == "data: '7'\n---\n"
    stop(writer)


def test_pub_sends_the_given_number_at_the_given_rate(graph: Ros2) -> None:
    output = graph.output(
        "topic", "pub", "-t", "4", "-r", "50", "-p", "2", "-w", "0", "/free", "std_msgs/msg/String"
    )
    assert re.findall(r"publishing #(\d+)", output) == ["2", "4"]


def test_pub_gives_up_waiting(graph: Ros2) -> None:
    refused = graph.failure(
        "topic", "pub", "-1", "--max-wait-time-secs", "0.3", "/free", "std_msgs/msg/String"
    )
    assert refused == "Timed out waiting for 1 matching subscription(s): have 0\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("/free", "std_msgs/msg/String", "{dta: 1}"), "Failed to populate field"),
        (("/free", "std_msgs/msg/String", "[1]"), "dictionary in YAML format"),
        (("/free", "nope/msg/String"), "The type 'nope/msg/String' is invalid"),
    ],
)
def test_pub_refuses(ros2: Ros2, arguments: tuple[str, ...], named: str) -> None:
    assert named in ros2.failure("topic", "pub", *arguments)


@pytest.mark.parametrize(
    ("verb", "topic", "first", "second"),
    [
        (
            "hz",
            "/chatter",
            r"average rate: (1[6-9]|2[0-4])\.\d{3}\n",
            r"\tmin: \d\.\d{3}s max: \d\.\d{3}s std dev: \d\.\d{5}s window: \d+\n",
        ),
        (
            "bw",
            "/chatter",
            r"\d+ B/s from \d+ messages\n",
            r"\tMessage size mean: \d+ B min: \d+ B max: \d+ B\n",
        ),
        (
            "delay",
            "/stamped",
            r"average delay: 0\.\d{3}\n",
            r"\tmin: 0\.\d{3}s max: \d\.\d{3}s std dev: \d\.\d{5}s window: \d+\n",
        ),
    ],
)
def test_statistics_come_every_second(
    graph: Ros2, verb: str, topic: str, first: str, second: str
) -> None:
    process = graph.start("topic", verb, topic)
    assert process.stdout is not None
    if verb == "bw":
        assert process.stdout.readline() == f"Subscribed to [{topic}]\n"
    assert re.fullmatch(first, process.stdout.readline())
    assert re.fullmatch(second, process.stdout.readline())
    stop(process)


def test_delay_needs_a_header(graph: Ros2) -> None:
    assert graph.failure("topic", "delay", "/chatter") == "msg does not have header\n"
