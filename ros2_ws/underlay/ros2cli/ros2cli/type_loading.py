"""From the name of an interface to its Python class."""

import importlib
from types import ModuleType
from typing import Any

from ros2cli.errors import CommandError

KINDS = ("msg", "srv", "action")


def split_type(text: str, kind: str) -> tuple[str, str]:
    """Split ``package/kind/Name`` or ``package/Name``.

    Returns:
        The package and the name.

    Raises:
        CommandError: The text has another form.
    """
    parts = text.split("/")
    if len(parts) == 3 and parts[1] == kind:
        del parts[1]
    if len(parts) != 2 or not all(part.isidentifier() for part in parts):
        raise CommandError(f"The type '{text}' is invalid: expected '<package>/{kind}/<Name>'")
    return parts[0], parts[1]


def load_type(text: str, kind: str) -> Any:
    """Import the class of an interface.

    Args:
        text: ``package/kind/Name``, or ``package/Name``.
        kind: "msg", "srv" or "action".

    Raises:
        CommandError: The name is invalid, or there is no such interface here.
    """
    package, name = split_type(text, kind)
    module = _import(f"{package}.{kind}", text)
    if not hasattr(module, name):
        raise CommandError(f"The type '{text}' is invalid: package '{package}' has no such {kind}")
    return getattr(module, name)


def _import(module: str, text: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise CommandError(
            f"The type '{text}' is invalid: cannot import {module} ({error}); "
            "is the workspace that builds it sourced?"
        ) from error


def type_name(cls: type, kind: str = "msg") -> str:
    """Return ``package/kind/Name`` of an interface class."""
    return f"{cls.__module__.split('.')[0]}/{kind}/{cls.__name__}"
