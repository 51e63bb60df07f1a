"""Clear refusal of the genuine package's names that this stand-in leaves out."""

from collections.abc import Callable, Iterable
from typing import NoReturn


def refusal(name: str) -> str:
    """Say that ``name`` exists in the genuine tools only."""
    return (
        f"'{name}' is part of the genuine launch but not of Driftpilot's stand-in; "
        "install the ROS 2 binary packages to use it"
    )


def refuse_names(module: str, names: Iterable[str]) -> Callable[[str], NoReturn]:
    """Make a module's ``__getattr__``: known genuine names raise ImportError with their name.

    ImportError, not AttributeError: ``from module import Name`` would replace the message of the
    latter by a generic one.
    """
    known = frozenset(names)

    def __getattr__(name: str) -> NoReturn:  # noqa: N807 - becomes the module's own __getattr__
        if name in known:
            raise ImportError(refusal(name), name=module)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return __getattr__
