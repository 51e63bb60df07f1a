"""From YAML on the command line to the fields of a message.

The setters of Jazzy's messages check nothing unless told to, and a wrong value then ends the
process in the serialiser. Every value is therefore checked against the definition here.
"""

import math
from typing import Any

import yaml
from rosidl_parser.definition import (
    AbstractGenericString,
    AbstractSequence,
    AbstractType,
    Array,
    BasicType,
    BoundedSequence,
    NamespacedType,
)

from ros2cli.errors import CommandError
from ros2cli.type_loading import load_type, type_name

_INTEGER_BITS = {
    f"{sign}int{bits}": (sign == "", bits) for sign in ("", "u") for bits in (8, 16, 32, 64)
}
_TIME_TYPE = ("builtin_interfaces", "msg", "Time")
_HEADER_TYPE = ("std_msgs", "msg", "Header")
_FLOAT32_MAX = 3.4028234663852886e38


class FieldError(ValueError):
    """A value does not fit its field; the text names the field."""


def parse_values(text: str) -> dict[str, Any]:
    """Parse the YAML mapping that a user gave for a message.

    Raises:
        CommandError: The text is no YAML mapping.
    """
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CommandError(
            f"The passed value is no YAML: {' '.join(str(error).split())}"
        ) from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise CommandError("The passed value needs to be a dictionary in YAML format")
    return values


def message_from_text(cls: type, text: str) -> tuple[Any, list[Any]]:
    """Build a message from YAML.

    Args:
        cls: Message class (a service request, an action goal).
        text: The YAML mapping.

    Returns:
        The message, and those of its Time fields that were given as ``now`` or ``auto``: to be
        stamped by the caller, each time the message is sent.

    Raises:
        CommandError: The text is no mapping, or does not fit the definition.
    """
    message = cls()
    try:
        return message, fill_message(message, parse_values(text))
    except FieldError as error:
        raise CommandError(f"Failed to populate field: {error}") from error


def fill_message(message: Any, values: dict[str, Any]) -> list[Any]:
    """Set the given fields of a message; the others keep their defaults.

    Args:
        message: The message; changed in place.
        values: Field name to plain value, nested.

    Returns:
        The Time fields that were given as ``now`` or ``auto``.

    Raises:
        FieldError: An unknown field, or a value that does not fit.
    """
    stamps: list[Any] = []
    _fill(message, values, type(message).__name__, stamps)
    return stamps


def stamp(fields: list[Any], now: Any) -> None:
    """Set Time fields in place to a Time message."""
    for field in fields:
        field.sec, field.nanosec = now.sec, now.nanosec


def _fill(message: Any, values: Any, path: str, stamps: list[Any]) -> None:
    if not isinstance(values, dict):
        raise FieldError(f"{path} needs a mapping for {type_name(type(message))}, got {values!r}")
    types = dict(zip(message.get_fields_and_field_types(), message.SLOT_TYPES, strict=True))
    for name, value in values.items():
        if name not in types:
            known = ", ".join(types) or "none"
            raise FieldError(f"{path} has no field '{name}'; its fields: {known}")
        setattr(message, name, _convert(value, types[name], f"{path}.{name}", stamps))


def _convert(value: Any, kind: AbstractType, path: str, stamps: list[Any]) -> Any:
    if isinstance(kind, NamespacedType):
        return _convert_message(value, kind, path, stamps)
    if isinstance(kind, Array | AbstractSequence):
        return _convert_sequence(value, kind, path, stamps)
    if isinstance(kind, AbstractGenericString):
        return _convert_string(value, kind, path)
    assert isinstance(kind, BasicType)
    if kind.typename == "boolean":
        return _convert_boolean(value, path)
    if kind.typename == "octet":
        return _convert_octet(value, path)
    if kind.typename in ("float", "double"):
        return _convert_float(value, kind.typename, path)
    return _convert_integer(value, kind.typename, path)


def _convert_message(value: Any, kind: NamespacedType, path: str, stamps: list[Any]) -> Any:
    full_name = tuple(kind.namespaced_name())
    message = load_type("/".join(full_name), full_name[1])()
    if full_name == _TIME_TYPE and value == "now":
        stamps.append(message)
    elif full_name == _HEADER_TYPE and value == "auto":
        stamps.append(message.stamp)
    else:
        _fill(message, value, path, stamps)
    return message


def _convert_sequence(
    value: Any, kind: Array | AbstractSequence, path: str, stamps: list[Any]
) -> list[Any]:
    if not isinstance(value, list):
        raise FieldError(f"{path} needs a list, got {value!r}")
    if isinstance(kind, Array) and len(value) != kind.size:
        raise FieldError(f"{path} needs exactly {kind.size} elements, got {len(value)}")
    if isinstance(kind, BoundedSequence) and len(value) > kind.maximum_size:
        raise FieldError(f"{path} takes at most {kind.maximum_size} elements, got {len(value)}")
    return [
        _convert(item, kind.value_type, f"{path}[{index}]", stamps)
        for index, item in enumerate(value)
    ]


def _convert_string(value: Any, kind: AbstractGenericString, path: str) -> str:
    if value is None or isinstance(value, list | dict):
        raise FieldError(f"{path} needs a string, got {value!r}")
    # `{data: 1}` for a string is what people type; YAML has made a number of it.
    text = str(value)
    if kind.has_maximum_size() and len(text) > kind.maximum_size:
        raise FieldError(f"{path} takes at most {kind.maximum_size} characters, got {len(text)}")
    return text


def _convert_boolean(value: Any, path: str) -> bool:
    if not isinstance(value, bool) and value not in (0, 1):
        raise FieldError(f"{path} needs true or false, got {value!r}")
    return bool(value)


def _convert_octet(value: Any, path: str) -> bytes:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255:
        return bytes([value])
    if isinstance(value, str) and len(value) == 1 and ord(value) <= 255:
        return bytes([ord(value)])
    if isinstance(value, bytes) and len(value) == 1:
        return value
    raise FieldError(f"{path} needs a byte: 0 to 255, or one character, got {value!r}")


def _convert_float(value: Any, typename: str, path: str) -> float:
    # YAML 1.1 reads `1e-3` as a string, for want of a dot.
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise FieldError(f"{path} needs a number, got {value!r}")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise FieldError(f"{path} needs a number, got {value!r}") from None
    if typename == "float" and math.isfinite(number) and abs(number) > _FLOAT32_MAX:
        raise FieldError(f"{path} is beyond the range of float32: {value!r}")
    return number


def _convert_integer(value: Any, typename: str, path: str) -> int:
    signed, bits = _INTEGER_BITS[typename]
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise FieldError(f"{path} needs an integer from {low} to {high}, got {value!r}")
    return value
