"""The thread that writes an episode, and the queue to it.

The executor's thread only appends to a queue: compressing and writing happen beside it, and a slow
disk costs memory before it costs messages. What does not fit any more is dropped, and counted.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from planner_core.clock import Clock, seconds
from planner_core.errors import DriftpilotError

from episode_recorder.bag_metadata import BagMetadata, Topic
from episode_recorder.bag_writer import BagWriter
from episode_recorder.errors import RecordingError

FLUSH_S: Final = 0.25
"""How long a message waits, at most, before it is handed to the operating system."""


@dataclass(slots=True)
class Drops:
    """Messages that are missing from an episode, by topic.

    Attributes:
        queue: Came while the queue to the disk was full.
        middleware: Lost on the way, as the middleware says.
    """

    queue: Counter[str] = field(default_factory=Counter)
    middleware: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All of them."""
        return self.queue.total() + self.middleware.total()

    def to_dict(self) -> dict[str, dict[str, int]]:
        """As plain values."""
        return {"queue": dict(self.queue), "middleware": dict(self.middleware)}


class Recording:
    """One episode on its way to the disk.

    Args:
        bag: Taken over; its topics are announced.
        clock: Steady time.
        queue_bytes: The queue drops what would make it longer.
    """

    def __init__(self, bag: BagWriter, clock: Clock, queue_bytes: int) -> None:
        self.bag = bag
        self.drops = Drops()
        self.begun_ns = clock.steady_ns()
        self._clock = clock
        self._queue_bytes = queue_bytes
        self._wake = threading.Condition()
        self._queue: deque[tuple[str, int, bytes]] = deque()
        self._announced: list[Topic] = []
        self._waiting_bytes = 0
        self._custom: dict[str, str] = {}
        self._ending = False
        self._failure: DriftpilotError | None = None
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    @property
    def failure(self) -> DriftpilotError | None:
        """Why nothing is written any more, None while all is well."""
        return self._failure

    @property
    def duration_s(self) -> float:
        """Since the beginning [s]."""
        return seconds(self._clock.steady_ns() - self.begun_ns)

    def take(self, topic: str, time_ns: int, data: bytes) -> None:
        """Queue a message of an announced topic. From the executor's thread.

        Args:
            topic: Its name.
            time_ns: When it was received [ns].
            data: CDR bytes.
        """
        with self._wake:
            if self._failure is not None or self._waiting_bytes + len(data) > self._queue_bytes:
                self.drops.queue[topic] += 1
                return
            self._queue.append((topic, time_ns, data))
            self._waiting_bytes += len(data)

    def announce(self, topic: Topic) -> None:
        """Add a topic that has appeared since, before its first message is taken."""
        with self._wake:
            self._announced.append(topic)

    def set_custom(self, key: str, value: str) -> None:
        """Have custom data written soon. From any thread."""
        with self._wake:
            self._custom[key] = value
            self._wake.notify()

    def end(self, custom: Mapping[str, str]) -> BagMetadata:
        """Write what is queued, and the bag's end.

        Args:
            custom: Further custom data, the outcome among them.

        Raises:
            StorageError: Writing failed, now or earlier. What was written can be repaired.
        """
        self._stop()
        if self._failure is None:
            try:
                return self.bag.close({**custom, **self._custom})
            except DriftpilotError as error:
                self._failure = error
        self.bag.abandon()
        raise self._failure

    def discard(self) -> None:
        """Delete what was written."""
        self._stop()
        self.bag.discard()

    def _stop(self) -> None:
        with self._wake:
            self._ending = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        try:
            while self._write_batch():
                pass
        except DriftpilotError as error:
            self._fail(error)
        except Exception as error:  # a mistake in this package must not pass for a recording
            self._fail(RecordingError("the writing thread failed", got=repr(error)))

    def _fail(self, error: DriftpilotError) -> None:
        with self._wake:
            self._failure = error
            for topic, _, _ in self._queue:
                self.drops.queue[topic] += 1
            self._queue.clear()

    def _write_batch(self) -> bool:
        """Write what has come within the last moments; False when it was the last."""
        with self._wake:
            if not self._ending:
                # No message wakes the writer: batches cost less than messages one by one.
                self._wake.wait(FLUSH_S)
            ending, batch, self._queue = self._ending, self._queue, deque()
            custom, self._custom = self._custom, {}
            announced, self._announced = self._announced, []
        for topic in announced:
            self.bag.add_topic(topic)
        for name, time_ns, data in batch:
            self.bag.write(name, time_ns, data)
            with self._wake:
                self._waiting_bytes -= len(data)
        self.bag.flush()
        for key, value in custom.items():
            self.bag.set_custom(key, value)
        return not ending
