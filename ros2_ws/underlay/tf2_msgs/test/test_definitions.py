"""The interfaces are those of the genuine tf2_msgs.

Nodes exchange data only where their definitions agree. The type hash covers the names, types and
order of all fields, nested ones included; the expected values are those of a genuine Jazzy.
"""

import json
from pathlib import Path

import pytest
from ament_index_python.packages import get_package_share_directory
from geometry_msgs.msg import TransformStamped
from rclpy.serialization import deserialize_message, serialize_message
from tf2_msgs.action import LookupTransform
from tf2_msgs.msg import TF2Error, TFMessage
from tf2_msgs.srv import FrameGraph


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("TFMessage", "e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087"),
        ("TF2Error", "db2485e7d6a0ec75bf087e058ee45df682acc3a621ca7780503d10aac141809a"),
    ],
)
def test_type_hash_is_the_genuine_one(name: str, digest: str) -> None:
    share = Path(get_package_share_directory("tf2_msgs"))
    description = json.loads((share / "msg" / f"{name}.json").read_text())
    hashes = {entry["type_name"]: entry["hash_string"] for entry in description["type_hashes"]}
    assert hashes[f"tf2_msgs/msg/{name}"] == f"RIHS01_{digest}"


def test_error_codes() -> None:
    codes = ("NO", "LOOKUP", "CONNECTIVITY", "EXTRAPOLATION", "INVALID_ARGUMENT", "TIMEOUT")
    assert [getattr(TF2Error, f"{code}_ERROR") for code in codes] == [0, 1, 2, 3, 4, 5]
    assert TF2Error.TRANSFORM_ERROR == 6


def test_fields_of_service_and_action() -> None:
    assert FrameGraph.Request.get_fields_and_field_types() == {}
    assert FrameGraph.Response.get_fields_and_field_types() == {"frame_yaml": "string"}
    assert LookupTransform.Goal.get_fields_and_field_types() == {
        "target_frame": "string",
        "source_frame": "string",
        "source_time": "builtin_interfaces/Time",
        "timeout": "builtin_interfaces/Duration",
        "target_time": "builtin_interfaces/Time",
        "fixed_frame": "string",
        "advanced": "boolean",
    }
    assert LookupTransform.Result.get_fields_and_field_types() == {
        "transform": "geometry_msgs/TransformStamped",
        "error": "tf2_msgs/TF2Error",
    }
    assert LookupTransform.Feedback.get_fields_and_field_types() == {}


def test_round_trip() -> None:
    transform = TransformStamped(child_frame_id="base_link")
    transform.header.frame_id = "map"
    message = TFMessage(transforms=[transform])
    assert deserialize_message(serialize_message(message), TFMessage) == message
