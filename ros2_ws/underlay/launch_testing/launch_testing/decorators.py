"""Decorators of `generate_test_description` and of test classes."""

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")
Description = Callable[..., Any]


def post_shutdown_test() -> Callable[[T], T]:
    """Mark a test class whose tests run after all processes have ended."""

    def decorator(test_class: T) -> T:
        test_class.__post_shutdown_test__ = True  # type: ignore[attr-defined]
        return test_class

    return decorator


def ready_to_test_action_timeout(timeout: float) -> Callable[[T], T]:
    """Set how long a launch may take to reach its `ReadyToTest` action.

    Args:
        timeout: Longest wait [s]; 15 s without this decorator.
    """

    def decorator(function: T) -> T:
        function.__ready_to_test_action_timeout__ = timeout  # type: ignore[attr-defined]
        return function

    return decorator


def parametrize(
    argnames: str, argvalues: Iterable[Any]
) -> Callable[[Description], Callable[[], Iterator[tuple[Description, dict[str, Any]]]]]:
    """Launch once for each set of arguments.

    Args:
        argnames: Arguments of the decorated function, separated by commas.
        argvalues: One entry a launch: a tuple with one value for each argument, or the bare value
            of a single argument.

    Raises:
        ValueError: If an entry has another number of values than there are arguments.
    """
    names = [name.strip() for name in argnames.split(",") if name.strip()]
    rows = [value if isinstance(value, tuple) else (value,) for value in argvalues]
    for row in rows:
        if len(row) != len(names):
            raise ValueError(f"parametrize expects {len(names)} values ({argnames}), got {row}")

    def decorator(
        function: Description,
    ) -> Callable[[], Iterator[tuple[Description, dict[str, Any]]]]:
        @functools.wraps(function)
        def launches() -> Iterator[tuple[Description, dict[str, Any]]]:
            for row in rows:
                arguments = dict(zip(names, row, strict=True))
                yield functools.partial(function, **arguments), arguments

        launches.__parametrized__ = True  # type: ignore[attr-defined]
        return launches

    return decorator
