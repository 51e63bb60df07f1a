"""What a running launch has recorded, with waits for what it will record."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Record = TypeVar("Record")


class Recording(Generic[Record]):
    """A record that the launch writes on its thread while tests read and wait on theirs.

    Args:
        record: The plain record. It outlives the launch; this object belongs to the launch.
    """

    def __init__(self, record: Record) -> None:
        self.record = record
        self._changed = threading.Condition()
        self._ended = False

    @property
    def condition(self) -> threading.Condition:
        """The lock of the record; it is notified of every change."""
        return self._changed

    def change(self, change: Callable[[Record], None]) -> None:
        """Apply `change` to the record and wake the tests that wait."""
        with self._changed:
            change(self.record)
            self._changed.notify_all()

    def end(self) -> None:
        """Wake all tests: the launch has ended, nothing more will be recorded."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_for(self, predicate: Callable[[], bool], timeout: float | None) -> bool:
        """Wait until `predicate` holds, at most `timeout` [s]; None waits for the launch to end.

        Returns:
            Whether it holds.
        """
        with self._changed:
            self._changed.wait_for(lambda: predicate() or self._ended, timeout)
            return predicate()
