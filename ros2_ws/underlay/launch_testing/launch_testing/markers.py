"""Markers of launch descriptions and of test methods."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def keep_alive(test_description: T) -> T:
    """Keep the launch running after its last process has ended, until the tests are done."""
    markers = dict(getattr(test_description, "__markers__", {}))
    markers["keep_alive"] = True
    test_description.__markers__ = markers  # type: ignore[attr-defined]
    return test_description


def retry_on_failure(*, times: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Run a test method again when it fails with an AssertionError.

    Args:
        times: Number of attempts, the first one included.

    Raises:
        ValueError: If `times` is not positive.
        TypeError: If the decorated function is not a method.
    """
    if times < 1:
        raise ValueError(f"retry_on_failure expects times >= 1, got {times}")

    def decorator(method: Callable[..., Any]) -> Callable[..., Any]:
        if next(iter(inspect.signature(method).parameters), None) != "self":
            raise TypeError(f"retry_on_failure expects a method, got {method!r}")

        @functools.wraps(method)
        def attempts(self: Any, *args: Any, **kwargs: Any) -> Any:
            for _ in range(times - 1):
                try:
                    return method(self, *args, **kwargs)
                except AssertionError as error:
                    print(f"{method.__name__} failed, trying again: {error}", flush=True)
            return method(self, *args, **kwargs)

        return attempts

    return decorator
