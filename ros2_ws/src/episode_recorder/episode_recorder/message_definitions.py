"""What a bag has to say of a message type: its text with all nested types, and its hash."""

from __future__ import annotations

import functools
import importlib
import json
import re
from pathlib import Path
from typing import Any, Final

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

from episode_recorder.errors import BagTypeError

SEPARATOR: Final = "\n" + "=" * 80 + "\n"
# A field: type, optional array suffix, name. Constants of nested types do not exist.
_FIELD: Final = re.compile(r"^\s*(?P<type>[A-Za-z]\w*(?:/\w+)*)(?:<=\d+)?(?:\[[^]]*\])?\s+\w+")
_NAME: Final = re.compile(r"[a-z]\w*/msg/[A-Z]\w*")
_PRIMITIVES: Final = {"bool", "byte", "char", "float32", "float64", "string", "wstring"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}


@functools.cache
def message_definition(type_name: str) -> str:
    """The text of a type, and after it that of every type that it contains.

    Args:
        type_name: E.g. ``std_msgs/msg/String``.

    Raises:
        BagTypeError: It is not installed as a ``.msg`` file.
    """
    parts: list[str] = []
    waiting, seen = [type_name], {type_name}
    while waiting:
        name = waiting.pop(0)
        text = _installed(name, ".msg").read_text(encoding="utf-8")
        package, _, short = name.split("/")
        parts.append(f"MSG: {package}/{short}\n{text}" if parts else text)
        for line in text.splitlines():
            nested = _nested(line.split("#")[0], package)
            if nested is not None and nested not in seen:
                seen.add(nested)
                waiting.append(nested)
    return SEPARATOR.join(parts)


@functools.cache
def type_hash(type_name: str) -> str:
    """The RIHS01 hash of an installed type.

    Raises:
        BagTypeError: It is not installed, or without type descriptions.
    """
    path = _installed(type_name, ".json")
    try:
        hashes = json.loads(path.read_text(encoding="utf-8"))["type_hashes"]
        return str(next(e["hash_string"] for e in hashes if e["type_name"] == type_name))
    except (ValueError, KeyError, StopIteration) as error:
        raise BagTypeError(f"type hash of {type_name} in {path}") from error


@functools.cache
def message_class(type_name: str) -> Any:
    """The Python class of an installed type.

    Raises:
        BagTypeError: It is not installed.
    """
    _installed(type_name, ".msg")
    package, _, short = type_name.split("/")
    return getattr(importlib.import_module(f"{package}.msg"), short)


def _installed(type_name: str, suffix: str) -> Path:
    if not _NAME.fullmatch(type_name):
        raise BagTypeError("message type", got=repr(type_name), expected="package/msg/Name")
    package, _, short = type_name.split("/")
    try:
        path = Path(get_package_share_directory(package), "msg", f"{short}{suffix}")
    except PackageNotFoundError as error:
        raise BagTypeError(
            f"message type {type_name}: its package is not installed",
            remedy="Build and source the workspace that has it.",
        ) from error
    if not path.is_file():
        raise BagTypeError(f"message type {type_name} is not installed", expected=path)
    return path


def _nested(code: str, package: str) -> str | None:
    """The message type of a field; None for a primitive one, a constant, an empty line."""
    match = _FIELD.match(code)
    if match is None or match["type"] in _PRIMITIVES:
        return None
    *packages, name = [part for part in match["type"].split("/") if part != "msg"]
    return f"{packages[0] if packages else package}/msg/{name}"
