"""The verbs that look at, and talk to, a running graph."""

import re
import signal
from pathlib import Path

import pytest
import yaml
from ros2_command import Ros2

LATCHED = "/latched [std_msgs/msg/String]"


def test_topics_are_listed_without_the_hidden_ones(graph: Ros2) -> None:
    names = graph.output("topic", "list").splitlines()
    assert names == sorted(names)
    assert {"/chatter", "/heard", "/latched", "/parameter_events", "/rosout"} <= set(names)
    assert "/_secret" not in names
    assert not [name for name in names if "_action" in name]


def test_hidden_topics_and_types_can_be_shown(graph: Ros2) -> None:
    lines = graph.output("topic", "list", "-t", "--include-hidden-topics").splitlines()
    assert LATCHED in lines
    assert "/_secret [std_msgs/msg/String]" in lines


def test_verbose_topic_list_counts_endpoints(graph: Ros2) -> None:
    output = graph.output("topic", "list", "-v")
    published, subscribed = output.split("\n\n")[:2]
    assert published.startswith("Published topics:\n")
    assert " * /chatter [std_msgs/msg/String] 1 publisher\n" in published
    assert subscribed.startswith("Subscribed topics:\n")
    assert " * /heard [std_msgs/msg/String] 1 subscriber" in subscribed


def test_topic_info(graph: Ros2) -> None:
    assert graph.output("topic", "info", "/chatter") == (
        "Type: std_msgs/msg/String\nPublisher count: 1\nSubscription count: 0\n"
    )


def test_verbose_topic_info_shows_qos_and_hash(graph: Ros2) -> None:
    output = graph.output("topic", "info", "-v", "/latched")
    assert re.search(
        r"^Publisher count: 1\n\nNode name: fixture\nNode namespace: /arm\n", output, re.M
    )
    assert re.search(r"^Topic type hash: RIHS01_[0-9a-f]{64}$", output, re.M)
    assert "  Reliability: RELIABLE\n" in output
    assert "  Durability: TRANSIENT_LOCAL\n" in output
    assert output.endswith("\nSubscription count: 0\n\n")


def test_topic_type_and_find(graph: Ros2) -> None:
    assert graph.output("topic", "type", "/joints") == "sensor_msgs/msg/JointState\n"
    assert graph.output("topic", "find", "sensor_msgs/msg/JointState") == "/joints\n"
    assert graph.run("topic", "type", "/nowhere").returncode == 1


def test_unknown_topic_has_no_info(graph: Ros2) -> None:
    assert graph.failure("topic", "info", "/nowhere") == "Unknown topic '/nowhere'\n"


def test_nodes_are_listed_without_this_command(graph: Ros2) -> None:
    names = graph.output("node", "list", "-a").splitlines()
    assert {"/arm/fixture", "/managed"} <= set(names)
    assert not [name for name in names if name.startswith("/_ros2cli_")]
    assert int(graph.output("node", "list", "-c")) >= 2


def test_node_info(graph: Ros2) -> None:
    output = graph.output("node", "info", "/arm/fixture")
    assert output.startswith("/arm/fixture\n  Subscribers:\n    /heard: std_msgs/msg/String\n")
    assert "  Publishers:\n    /chatter: std_msgs/msg/String\n" in output
    assert "    /set_flag: std_srvs/srv/SetBool\n  Service Clients:\n\n" in output
    assert "  Action Servers:\n    /look_up: tf2_msgs/action/LookupTransform\n\n" in output
    assert output.endswith("  Action Clients:\n\n")
    assert "/_secret" not in output


def test_unknown_node_has_no_info(graph: Ros2) -> None:
    assert graph.failure("node", "info", "/nobody") == "Unable to find node '/nobody'\n"


def test_services_are_listed_and_found(graph: Ros2) -> None:
    lines = graph.output("service", "list", "-t").splitlines()
    assert "/set_flag [std_srvs/srv/SetBool]" in lines
    assert not [line for line in lines if "/_action/" in line]
    assert graph.output("service", "type", "/set_flag") == "std_srvs/srv/SetBool\n"
    assert graph.output("service", "find", "std_srvs/srv/SetBool") == "/set_flag\n"


def test_a_service_is_called(graph: Ros2) -> None:
    assert graph.output("service", "call", "/set_flag", "std_srvs/srv/SetBool", "{data: true}") == (
        "requester: making request: std_srvs.srv.SetBool_Request(data=True)\n\n"
        "response:\nstd_srvs.srv.SetBool_Response(success=True, message='on')\n\n"
    )


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("/set_flag", "std_srvs/srv/SetBool", "{flag: true}"), "no field 'flag'"),
        (("/set_flag", "std_srvs/srv/Nope"), "'std_srvs/srv/Nope' is invalid"),
        (("/set_flag", "nope_srvs/srv/SetBool"), "cannot import nope_srvs.srv"),
        (("/set flag", "std_srvs/srv/SetBool"), "Invalid service name '/set flag'"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(
    graph: Ros2, arguments: tuple[str, ...], named: str
) -> None:
    assert named in graph.failure("service", "call", *arguments)


def test_waiting_for_a_service_ends_with_a_signal(graph: Ros2) -> None:
    process = graph.start("service", "call", "/nowhere", "std_srvs/srv/Trigger")
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting for service to become available...\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (signal.SIGINT, "")


def test_parameters_are_listed(graph: Ros2) -> None:
    lines = graph.output("param", "list", "/arm/fixture").splitlines()
    assert {"  enabled", "  limits.count", "  limits.velocity", "  rate_hz"} <= set(lines)
    everything = graph.output("param", "list")
    assert everything.startswith("/arm/fixture:\n  enabled\n")
    assert "/managed:\n" in everything
    lines = graph.output(
        "param", "list", "/arm/fixture", "--param-type", "--filter", "^limits"
    ).splitlines()
    assert lines == ["  limits.count (type: integer)", "  limits.velocity (type: double array)"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("enabled", "Boolean value is: True\n"),
        ("frame", "String value is: base\n"),
        ("limits.velocity", "Double values are: [0.5, 1.5]\n"),
    ],
)
def test_a_parameter_is_read(graph: Ros2, name: str, expected: str) -> None:
    assert graph.output("param", "get", "/arm/fixture", name) == expected


def test_a_parameter_is_written(graph: Ros2) -> None:
    assert graph.output("param", "set", "/arm/fixture", "limits.count", "5") == (
        "Set parameter successful\n"
    )
    assert graph.output("param", "get", "arm/fixture", "limits.count", "--hide-type") == "5\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("get", "/arm/fixture", "nope"), "Parameter not set"),
        (("get", "/nobody", "nope"), "Node not found"),
        (("set", "/arm/fixture", "limits.count", "13"), "13 is unlucky"),
        (("set", "/arm/fixture", "limits.count", "fast"), "Setting parameter failed: "),
        (("set", "/arm/fixture", "frame", "map"), "Setting parameter failed: "),
        (("set", "/arm/fixture", "rate_hz", "1000.0"), "Setting parameter failed: "),
        (("list", "/arm/fixture", "--filter", "("), "Invalid --filter"),
        (("load", "/arm/fixture", "/nowhere.yaml"), "Cannot read '/nowhere.yaml'"),
    ],
)
def test_a_refused_parameter_says_why(graph: Ros2, arguments: tuple[str, ...], named: str) -> None:
    assert named in graph.failure("param", *arguments)


def test_a_parameter_is_described(graph: Ros2) -> None:
    assert graph.output("param", "describe", "/arm/fixture", "rate_hz") == (
        "Parameter name: rate_hz\n"
        "  Type: double\n"
        "  Description: Control rate\n"
        "  Constraints:\n"
        "    Min value: 1.0\n"
        "    Max value: 100.0\n"
    )


def test_a_dynamic_parameter_is_deleted(graph: Ros2) -> None:
    assert graph.output("param", "delete", "/arm/fixture", "spare") == (
        "Deleted parameter successfully\n"
    )
    assert graph.failure("param", "delete", "/arm/fixture", "enabled").startswith(
        "Deleting parameter failed"
    )


def test_dumped_parameters_can_be_loaded(graph: Ros2, tmp_path: Path) -> None:
    dumped = yaml.safe_load(graph.output("param", "dump", "/arm/fixture"))
    parameters = dumped["/arm/fixture"]["ros__parameters"]
    assert parameters["limits"]["velocity"] == [0.5, 1.5]
    file = tmp_path / "parameters.yaml"
    file.write_text("/**:\n  ros__parameters:\n    rate_hz: 60.0\n    limits: {count: 7}\n")
    output = graph.output("param", "load", "/arm/fixture", str(file))
    assert set(output.splitlines()) == {
        "Set parameter rate_hz successful",
        "Set parameter limits.count successful",
    }
    assert graph.output("param", "get", "/arm/fixture", "limits.count", "--hide-type") == "7\n"
    assert "no parameters for '/arm/fixture'" in graph.failure(
        "param", "load", "/arm/fixture", str(file), "--no-use-wildcard"
    )


def test_a_lifecycle_node_is_driven(graph: Ros2) -> None:
    assert graph.output("lifecycle", "nodes") == "/managed\n"
    assert graph.output("lifecycle", "get", "/managed") == "unconfigured [1]\n"
    offered = graph.output("lifecycle", "list", "/managed")
    assert offered.startswith("- configure [1]\n\tStart: unconfigured\n\tGoal: configuring\n")
    assert "- transition_success [10]\n" in graph.output("lifecycle", "list", "/managed", "-a")
    refused = graph.failure("lifecycle", "set", "/managed", "activate")
    assert refused.startswith("Unknown transition requested, available ones are:\n- configure [1]")
    assert graph.output("lifecycle", "set", "/managed", "configure") == (
        "Transitioning successful\n"
    )
    assert graph.output("lifecycle", "get") == "/managed: inactive [2]\n"
    assert graph.output("lifecycle", "set", "/managed", "cleanup") == "Transitioning successful\n"


def test_a_plain_node_has_no_lifecycle(graph: Ros2) -> None:
    refused = graph.failure("lifecycle", "get", "/arm/fixture")
    assert refused == "Service '/arm/fixture/get_state' is not available\n"


def test_actions_are_listed(graph: Ros2) -> None:
    assert graph.output("action", "list", "-t") == "/look_up [tf2_msgs/action/LookupTransform]\n"
    assert graph.output("action", "type", "/look_up") == "tf2_msgs/action/LookupTransform\n"
    assert graph.output("action", "info", "/look_up") == (
        "Action: /look_up\nAction clients: 0\nAction servers: 1\n    /arm/fixture\n"
    )


def test_a_goal_is_pursued(graph: Ros2) -> None:
    output = graph.output(
        "action",
        "send_goal",
        "-f",
        "/look_up",
        "tf2_msgs/action/LookupTransform",
        "{target_frame: tool, source_time: now}",
    )
    assert output.startswith("Waiting for an action server to become available...\nSending goal:\n")
    assert "    target_frame: tool\n" in output
    assert re.search(r"^Goal accepted with ID: [0-9a-f]{32}$", output, re.M)
    assert "Feedback:\n" in output
    assert "      child_frame_id: tool\n" in output
    assert output.endswith("\nGoal finished with status: SUCCEEDED\n")


def test_an_interrupted_goal_is_canceled(graph: Ros2) -> None:
    process = graph.start(
        "action",
        "send_goal",
        "/look_up",
        "tf2_msgs/action/LookupTransform",
        "{target_frame: forever}",
    )
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    assert any(line.startswith("Goal accepted") for line in lines)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=10)
    assert output.endswith("Canceling goal...\nGoal canceled.\n")
    assert (process.returncode, errors) == (signal.SIGINT, "")
