"""Checks of argument types."""

from typing import Any


def is_a(obj: object, entity_type: type) -> bool:
    """Say whether ``obj`` is an instance of ``entity_type``."""
    return isinstance(obj, entity_type)


def is_a_subclass(obj: object, entity_type: type) -> bool:
    """Say whether ``obj`` is an instance, or a subclass, of ``entity_type``."""
    return isinstance(obj, entity_type) or (isinstance(obj, type) and issubclass(obj, entity_type))


def ensure_argument_type(
    argument: object, types: Any, argument_name: str, caller: str | None = None
) -> None:
    """Refuse an argument of the wrong type.

    Raises:
        TypeError: ``argument`` is an instance of none of ``types``.
    """
    allowed = tuple(types) if isinstance(types, list | tuple) else (types,)
    if not isinstance(argument, allowed):
        where = f"{caller}: " if caller else ""
        names = ", ".join(cls.__name__ for cls in allowed)
        raise TypeError(
            f"{where}{argument_name} must be one of {names}, got {type(argument).__name__}: "
            f"{argument!r}"
        )
