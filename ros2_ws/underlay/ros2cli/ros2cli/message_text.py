"""From a message to plain Python values, YAML and CSV."""

import array
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml

from ros2cli.errors import CommandError

DEFAULT_TRUNCATE_LENGTH = 128
_UNICODE_BREAK = re.compile("[\x85\u2028\u2029\ufeff]")
_SEQUENCES = (list, tuple, array.array, np.ndarray)


@dataclass(frozen=True, slots=True)
class TextStyle:
    """How much of a message is shown.

    Attributes:
        truncate_length: Longest array or string shown in full; None shows all.
        hide_arrays: Show the type and length of arrays only.
        hide_strings: Show the length of strings only.
        flow: Write YAML in one line.
    """

    truncate_length: int | None = None
    hide_arrays: bool = False
    hide_strings: bool = False
    flow: bool = False


_EVERYTHING = TextStyle()


def is_message(value: Any) -> bool:
    """Tell whether a value is a message and not one of its plain fields."""
    return hasattr(value, "get_fields_and_field_types")


def message_to_dict(message: Any, style: TextStyle = _EVERYTHING) -> dict[str, Any]:
    """Convert a message to nested dicts, lists and scalars, in the order of its fields.

    An octet becomes the character of that code, as the genuine tool shows it.
    """
    return {
        name: _plain(getattr(message, name), type_text, style)
        for name, type_text in message.get_fields_and_field_types().items()
    }


def _plain(value: Any, type_text: str, style: TextStyle) -> Any:
    if is_message(value):
        return message_to_dict(value, style)
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if isinstance(value, str):
        return _plain_string(value, style)
    if isinstance(value, _SEQUENCES):
        return _plain_sequence(value, type_text, style)
    return value


def _plain_string(value: str, style: TextStyle) -> str:
    if style.hide_strings:
        return f"<string length: <{len(value)}>>"
    if style.truncate_length is not None and len(value) > style.truncate_length:
        return value[: style.truncate_length] + "..."
    return value


def _plain_sequence(value: Any, type_text: str, style: TextStyle) -> Any:
    if style.hide_arrays:
        if type_text.startswith("sequence<"):
            element = type_text.removeprefix("sequence<").removesuffix(">").split(",")[0]
            return f"<sequence type: {element}, length: {len(value)}>"
        return f"<array type: {type_text}>"
    cut = style.truncate_length is not None and len(value) > style.truncate_length
    shown = value[: style.truncate_length] if cut else value
    # tolist() gives Python scalars, which YAML can write; NumPy's it cannot.
    items = shown.tolist() if isinstance(shown, array.array | np.ndarray) else shown
    return [_plain(item, "", style) for item in items] + (["..."] if cut else [])


class _Dumper(yaml.SafeDumper):
    """Escapes the line breaks that YAML's other styles would fold into a space."""


def _represent_string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if _UNICODE_BREAK.search(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_string)


def to_yaml(plain: Any, *, flow: bool = False) -> str:
    """Write plain values as YAML, without a final line of dots."""
    text = yaml.dump(
        plain,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=float("inf"),
        default_flow_style=flow,
    )
    # A bare scalar ends with a mark of the document's end, on a line of its own.
    return text.removesuffix("...\n") if text.endswith("\n...\n") else text


def message_to_yaml(message: Any, style: TextStyle = _EVERYTHING) -> str:
    """Write a message as YAML, with a final newline."""
    return to_yaml(message_to_dict(message, style), flow=style.flow)


def value_to_text(value: Any, style: TextStyle = _EVERYTHING) -> str:
    """Write a message, or one of its fields, as ``ros2 topic echo --field`` shows it."""
    if is_message(value):
        return message_to_yaml(value, style).rstrip("\n")
    plain = _plain(value, "", style)
    if isinstance(plain, list):
        return to_yaml(plain, flow=not any(isinstance(item, dict) for item in plain)).rstrip("\n")
    return str(plain)


def value_to_csv(value: Any, style: TextStyle = _EVERYTHING) -> str:
    """Write all scalars of a message, or of one of its fields, separated by commas."""
    plain = message_to_dict(value, style) if is_message(value) else _plain(value, "", style)
    return ",".join(str(scalar) for scalar in _scalars(plain))


def _scalars(plain: Any) -> Iterator[Any]:
    if isinstance(plain, dict):
        plain = list(plain.values())
    if isinstance(plain, list):
        for item in plain:
            yield from _scalars(item)
    else:
        yield plain


def select_field(message: Any, path: str) -> Any:
    """Return a field by its path, such as ``pose.position.x`` or ``position[0]``.

    Raises:
        CommandError: There is no such field or element.
    """
    value = message
    for part in path.split("."):
        match = re.fullmatch(r"(\w+)((?:\[\d+\])*)", part)
        if match is None:
            raise CommandError(f"Invalid field path '{path}'")
        name, indices = match[1], re.findall(r"\d+", match[2])
        if not is_message(value) or name not in value.get_fields_and_field_types():
            raise CommandError(f"Invalid field '{path}': {_fields_of(value)}")
        value = getattr(value, name)
        for index in map(int, indices):
            if not isinstance(value, _SEQUENCES) or index >= len(value):
                raise CommandError(f"Invalid field '{path}': no element {index} in '{name}'")
            value = value[index]
    return value


def _fields_of(value: Any) -> str:
    if is_message(value):
        return f"{type(value).__name__} has {', '.join(value.get_fields_and_field_types())}"
    return f"a {type(value).__name__} has no fields"
