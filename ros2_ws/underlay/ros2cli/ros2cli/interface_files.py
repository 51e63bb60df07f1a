"""Interface definitions as installed below ``share/``."""

import re
from collections.abc import Iterator
from pathlib import Path

from ament_index_python import get_resource, get_resources

from ros2cli.errors import CommandError
from ros2cli.packages import package_share
from ros2cli.type_loading import KINDS

_RESOURCE = "rosidl_interfaces"
_SEPARATOR = "=" * 80
# A field: type, optional array suffix, name. Constants carry `=` and are of primitive type.
_FIELD = re.compile(r"^\s*(?P<type>[A-Za-z]\w*(?:/\w+){0,2})(?:<=\d+)?(?:\[[^]]*\])?\s+\w+")
_PRIMITIVES = frozenset(
    ["bool", "byte", "char", "float32", "float64", "string", "wstring"]
    + [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
)


def packages_with_interfaces() -> list[str]:
    """Return the packages that install interfaces, sorted."""
    return sorted(get_resources(_RESOURCE))


def interfaces_of(package: str) -> list[str]:
    """Return the interfaces of a package as ``kind/Name``, sorted.

    Raises:
        CommandError: There is no such package, or it has no interfaces.
    """
    if package not in get_resources(_RESOURCE):
        raise CommandError(f"Unknown package '{package}'")
    content, _ = get_resource(_RESOURCE, package)
    paths = [Path(line) for line in content.splitlines() if line]
    return sorted({str(path.with_suffix("")) for path in paths if path.parts[0] in KINDS})


def definition_file(full_name: str) -> Path:
    """Return the file that defines ``package/kind/Name``; the ROS form rather than IDL.

    Raises:
        CommandError: There is no such interface.
    """
    parts = full_name.split("/")
    if len(parts) != 3 or parts[1] not in KINDS or not all(parts):
        raise CommandError(
            f"Invalid name '{full_name}'. Expected three parts separated by '/', such as "
            "std_msgs/msg/String"
        )
    package, kind, name = parts
    folder = package_share(package) / kind
    for extension in (kind, "idl"):
        path = folder / f"{name}.{extension}"
        if path.is_file():
            return path
    raise CommandError(f"Could not find the interface '{full_name}' in {folder}")


def nested_type(line: str, package: str) -> str | None:
    """Return the message type of a definition's field, such as ``std_msgs/msg/Header``.

    Args:
        line: One line of a ``.msg``, ``.srv`` or ``.action`` file.
        package: The package of that file, for types without one.

    Returns:
        The full name; None for a primitive field, a constant, a comment.
    """
    match = _FIELD.match(line)
    if match is None or match["type"] in _PRIMITIVES:
        return None
    *packages, name = [part for part in match["type"].split("/") if part != "msg"]
    return f"{packages[0] if packages else package}/msg/{name}"


def shown_definition(
    full_name: str, *, comments: bool = True, nested_comments: bool = False
) -> Iterator[str]:
    """Yield the lines of a definition, nested messages expanded and indented with tabs.

    Args:
        full_name: ``package/kind/Name``.
        comments: Keep comments and blank lines of the definition itself.
        nested_comments: Keep those of nested messages.

    Raises:
        CommandError: There is no such interface.
    """
    path = definition_file(full_name)
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.suffix == ".idl":
        yield from lines
        return
    for line in lines:
        code = line.split("#")[0].rstrip()
        if comments:
            yield line
        elif code:
            yield code
        nested = nested_type(code, full_name.split("/")[0])
        if nested is not None:
            for inner in shown_definition(
                nested, comments=nested_comments, nested_comments=nested_comments
            ):
                yield f"\t{inner}"


def complete_definition(full_name: str) -> str:
    """Return a message definition and all that it contains, as bags store it.

    The definition comes first; each nested one follows after a line of ``=`` and its name.

    Raises:
        CommandError: The message is not installed, or is defined in IDL only.
    """
    parts: list[str] = []
    waiting = [full_name]
    done = set()
    while waiting:
        name = waiting.pop(0)
        if name in done:
            continue
        done.add(name)
        path = definition_file(name)
        if path.suffix == ".idl":
            raise CommandError(f"'{name}' is defined in IDL only: a bag cannot store it here")
        text = path.read_text(encoding="utf-8")
        package, _, short = name.split("/")
        parts.append(f"MSG: {package}/{short}\n{text}" if parts else text)
        nested = (nested_type(line.split("#")[0], package) for line in text.splitlines())
        waiting += [found for found in nested if found is not None]
    return f"\n{_SEPARATOR}\n".join(parts)
