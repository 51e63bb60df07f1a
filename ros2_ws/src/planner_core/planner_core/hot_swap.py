"""Making something new in the background while the old one goes on working.

A planner takes from milliseconds to seconds to load and warm up; a robot in flight cannot wait for
it. The thread that asks gets an answer at once, the thread that works takes the new one when it is
ready, at a moment of its own choice, and whatever fails leaves the old one where it is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from planner_core.errors import DriftpilotError, PlannerBusyError, PlannerExceptionError

T = TypeVar("T")


@dataclass(slots=True)
class _Swap(Generic[T]):
    """One exchange. Written by the loading thread until `done`, and not at all after."""

    label: str
    done: threading.Event = field(default_factory=threading.Event)
    result: T | None = None
    error: DriftpilotError | None = None


class HotSwap(Generic[T]):
    """One exchange at a time. May be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._swap: _Swap[T] | None = None

    @property
    def loading(self) -> str:
        """What is under way, until it is taken or its failure is; empty for nothing."""
        with self._lock:
            return "" if self._swap is None else self._swap.label

    def begin(self, label: str, make: Callable[[], T], answer_s: float) -> None:
        """Make something in a thread of its own.

        Args:
            label: What it is, for people.
            make: Makes and warms it up.
            answer_s: Longest wait for a quick refusal; what fails later is told by `failure`.

        Raises:
            PlannerBusyError: Another one is under way.
            DriftpilotError: What ``make`` raised within the wait.
        """
        swap: _Swap[T] = _Swap(label)
        with self._lock:
            if self._swap is not None:
                raise PlannerBusyError(
                    f"change to {label} while another is being loaded", got=self._swap.label,
                    remedy="Wait until `planner/status` says how that one ended.",
                )  # fmt: skip
            self._swap = swap
        threading.Thread(target=_load, args=(swap, make), name="loading", daemon=True).start()
        if swap.done.wait(answer_s) and (error := self.failure()) is not None:
            raise error

    def take(self) -> T | None:
        """The new one, once, when it is ready."""
        with self._lock:
            swap = self._swap
            if swap is None or not swap.done.is_set() or swap.error is not None:
                return None
            self._swap = None
            return swap.result

    def failure(self) -> DriftpilotError | None:
        """Why the new one could not be made, once."""
        with self._lock:
            swap = self._swap
            if swap is None or not swap.done.is_set() or swap.error is None:
                return None
            self._swap = None
            return swap.error

    def abandon(self) -> None:
        """Forget what is under way; nobody will hear how it ends."""
        with self._lock:
            self._swap = None


def _load(swap: _Swap[T], make: Callable[[], T]) -> None:
    try:
        swap.result = make()
    except DriftpilotError as error:
        swap.error = error
    except Exception as error:  # whatever a plugin raises must not end the server
        swap.error = PlannerExceptionError(
            f"{swap.label}: raised {type(error).__name__}", got=error
        )
    finally:
        swap.done.set()
