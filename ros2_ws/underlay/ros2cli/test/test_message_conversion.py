"""Messages to text and back, for any content."""

import math
from typing import Any

import pytest
import yaml
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from geometry_msgs.msg import PoseStamped
from hypothesis import given, settings
from hypothesis import strategies as st
from ros2cli.errors import CommandError
from ros2cli.message_input import FieldError, fill_message, message_from_text, stamp
from ros2cli.message_text import (
    TextStyle,
    message_to_dict,
    message_to_yaml,
    select_field,
    value_to_csv,
    value_to_text,
)
from sensor_msgs.msg import Image, Imu, JointState
from std_msgs.msg import (
    Bool,
    ByteMultiArray,
    Float32,
    Float64,
    Header,
    Int8,
    Int64,
    String,
    UInt8,
    UInt64,
)

# Surrogates are no text, and DDS strings end at a zero.
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
finite = st.floats(allow_nan=False)


def round_trip(message: Any) -> Any:
    back, stamps = message_from_text(type(message), message_to_yaml(message))
    assert stamps == []
    return back


@given(text)
def test_strings_survive_the_round_trip(content: str) -> None:
    assert round_trip(String(data=content)) == String(data=content)


@given(st.lists(text, max_size=4), st.lists(finite, max_size=4))
@settings(max_examples=50)
def test_sequences_survive_the_round_trip(names: list[str], positions: list[float]) -> None:
    message = JointState(name=names, position=positions)
    assert round_trip(message) == message


@given(st.binary(min_size=1, max_size=1), text, text)
@settings(max_examples=50)
def test_octets_and_nested_messages_survive_the_round_trip(
    level: bytes, key: str, value: str
) -> None:
    message = DiagnosticStatus(level=level, values=[KeyValue(key=key, value=value)])
    assert round_trip(message) == message


@given(st.lists(finite, min_size=9, max_size=9))
@settings(max_examples=30)
def test_fixed_arrays_survive_the_round_trip(covariance: list[float]) -> None:
    message = Imu(orientation_covariance=covariance)
    assert message_to_dict(round_trip(message)) == message_to_dict(message)


@given(st.floats(width=32))
def test_float32_survives_the_round_trip(value: float) -> None:
    back = round_trip(Float32(data=value)).data
    assert back == value or (math.isnan(back) and math.isnan(value))


@given(st.lists(st.binary(min_size=1, max_size=1), max_size=8))
@settings(max_examples=30)
def test_octet_sequences_survive_the_round_trip(data: list[bytes]) -> None:
    assert round_trip(ByteMultiArray(data=data)) == ByteMultiArray(data=data)


@pytest.mark.parametrize(
    ("cls", "given_text", "expected"),
    [
        (String, "{data: 1}", "1"),
        (String, "{data: true}", "True"),
        (Float64, "{data: 1}", 1.0),
        (Float64, "{data: 1e-3}", 0.001),
        (Float64, "{data: .inf}", math.inf),
        (Bool, "{data: 1}", True),
        (UInt64, "{data: 18446744073709551615}", 2**64 - 1),
        (Int64, "data: -9223372036854775808", -(2**63)),
        (Bool, "", False),
    ],
)
def test_what_people_type_is_understood(cls: type, given_text: str, expected: Any) -> None:
    message, _ = message_from_text(cls, given_text)
    assert message.data == expected
    assert type(message.data) is type(expected)


@pytest.mark.parametrize(
    ("cls", "values", "named"),
    [
        (String, {"dat": "x"}, "no field 'dat'; its fields: data"),
        (String, {"data": [1]}, "String.data needs a string"),
        (String, {"data": None}, "String.data needs a string"),
        (Bool, {"data": "yes please"}, "Bool.data needs true or false"),
        (UInt8, {"data": 256}, "from 0 to 255"),
        (UInt8, {"data": -1}, "from 0 to 255"),
        (Int8, {"data": 128}, "from -128 to 127"),
        (Int64, {"data": 1.5}, "needs an integer"),
        (Int64, {"data": True}, "needs an integer"),
        (Float64, {"data": "fast"}, "needs a number"),
        (Float64, {"data": True}, "needs a number"),
        (Float32, {"data": 1e39}, "beyond the range of float32"),
        (JointState, {"position": 1.0}, "JointState.position needs a list"),
        (JointState, {"position": [1.0, "x"]}, r"JointState.position\[1\] needs a number"),
        (Imu, {"orientation_covariance": [0.0]}, "exactly 9 elements, got 1"),
        (PoseStamped, {"pose": {"position": 3}}, "needs a mapping for geometry_msgs/msg/Point"),
        (DiagnosticStatus, {"level": 256}, "needs a byte"),
        (DiagnosticStatus, {"level": "ab"}, "needs a byte"),
    ],
)
def test_a_value_that_does_not_fit_names_its_field(
    cls: type, values: dict[str, Any], named: str
) -> None:
    with pytest.raises(FieldError, match=named):
        fill_message(cls(), values)


@pytest.mark.parametrize("given_text", ["[1]", "3", "{data: ", "a: b: c"])
def test_only_a_mapping_makes_a_message(given_text: str) -> None:
    with pytest.raises(CommandError, match=r"YAML"):
        message_from_text(String, given_text)


@pytest.mark.parametrize(
    ("cls", "given_text", "field"),
    [
        (Header, "{stamp: now}", "stamp"),
        (PoseStamped, "{header: auto}", "header.stamp"),
        (PoseStamped, "{header: {stamp: now, frame_id: map}}", "header.stamp"),
    ],
)
def test_stamps_are_set_when_the_message_is_sent(cls: type, given_text: str, field: str) -> None:
    message, stamps = message_from_text(cls, given_text)
    stamp(stamps, Time(sec=7, nanosec=8))
    assert select_field(message, field) == Time(sec=7, nanosec=8)


def test_long_content_is_truncated() -> None:
    style = TextStyle(truncate_length=3)
    message = JointState(name=["abcdef"], position=[1.0, 2.0, 3.0, 4.0])
    shown = message_to_dict(message, style)
    assert shown["name"] == ["abc..."]
    assert shown["position"] == [1.0, 2.0, 3.0, "..."]


def test_arrays_and_strings_can_be_hidden() -> None:
    style = TextStyle(hide_arrays=True, hide_strings=True)
    shown = message_to_dict(Image(encoding="rgb8", data=b"\1\2\3"), style)
    assert shown["data"] == "<sequence type: uint8, length: 3>"
    assert shown["encoding"] == "<string length: <4>>"
    shown = message_to_dict(Imu(), style)
    assert shown["orientation_covariance"] == "<array type: double[9]>"


def test_flow_style_is_one_line() -> None:
    line = message_to_yaml(PoseStamped(), TextStyle(flow=True)).rstrip("\n")
    assert "\n" not in line
    assert yaml.safe_load(line) == message_to_dict(PoseStamped())


def test_csv_has_all_scalars() -> None:
    message = JointState(header=Header(frame_id="map"), name=["a"], position=[1.0, 2.0])
    assert value_to_csv(message) == "0,0,map,a,1.0,2.0"


@pytest.mark.parametrize(
    ("path", "shown"),
    [("name", "[a, b]"), ("position[1]", "2.0"), ("header.frame_id", "map"), ("name[0]", "a")],
)
def test_fields_are_selected_by_path(path: str, shown: str) -> None:
    message = JointState(header=Header(frame_id="map"), name=["a", "b"], position=[1.0, 2.0])
    assert value_to_text(select_field(message, path)) == shown


@pytest.mark.parametrize(
    "path", ["nope", "name[7]", "header.nope", "name.x", "", "header[0]", "a b"]
)
def test_a_wrong_field_path_is_refused(path: str) -> None:
    with pytest.raises(CommandError, match="Invalid field"):
        select_field(JointState(name=["a"]), path)
