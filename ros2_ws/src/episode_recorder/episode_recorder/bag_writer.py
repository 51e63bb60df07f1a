"""Writes one bag: a folder of MCAP files and its metadata.

Latched messages (maps, goals) are written again at the beginning of each file, so that every file
can be played alone. A repetition keeps the time of its first reception as its publish time.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from episode_recorder.bag_metadata import BagMetadata, Topic, bag_file
from episode_recorder.errors import EpisodeNameError, StorageError
from episode_recorder.mcap_writer import McapWriter
from episode_recorder.message_definitions import message_definition

UNFINISHED = "unfinished"
"""Outcome of an episode that has not ended: it is being recorded, or its recorder was killed."""


@dataclass(frozen=True, slots=True)
class Splitting:
    """When a new file is begun.

    Attributes:
        bytes: After so many bytes before compression; 0: never.
        seconds: After so long a time; 0: never [s].
    """

    bytes: int = 0
    seconds: float = 0.0


class BagWriter:
    """One bag. Belongs to one thread at a time.

    Args:
        folder: Of the new bag.
        custom: Kept as custom data of its metadata.
        splitting: When a new file is begun.
        compress: Whether chunks are compressed.
        ros_distro: Named in the metadata.

    Raises:
        EpisodeNameError: The folder exists.
        StorageError: From every method: the folder cannot be written to.
    """

    def __init__(
        self,
        folder: Path,
        custom: Mapping[str, str],
        *,
        splitting: Splitting = Splitting(),
        compress: bool = True,
        ros_distro: str = "",
    ) -> None:
        self.folder = folder
        self.metadata = BagMetadata(custom={"outcome": UNFINISHED, **custom}, ros_distro=ros_distro)
        self._splitting = splitting
        self._compress = compress
        self._channels: dict[str, int] = {}
        self._latched: dict[str, tuple[int, bytes]] = {}
        self._begun_ns = 0
        try:
            folder.mkdir(parents=True)
            # Gone with the process, however it ends: a repair tells a crash from a recording.
            self._lock = os.open(folder, os.O_RDONLY)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        except FileExistsError as error:
            raise EpisodeNameError(f"{folder} exists", expected="a name that is free") from error
        except OSError as error:
            raise StorageError(
                f"folder {folder}", got=error.strerror, remedy="Set the parameter `folder`."
            ) from error
        try:
            self._file = self._open()
        except StorageError:
            os.close(self._lock)
            raise

    @property
    def message_count(self) -> int:
        """Messages written, repetitions included."""
        return self.metadata.message_count + self._file.summary.message_count

    def add_topic(self, topic: Topic) -> None:
        """Announce a topic; one that is known already is left as it is.

        Raises:
            BagTypeError: Its type is not installed.
        """
        if topic.name not in self._channels:
            self.metadata.topics[topic.name] = topic
            self._channels[topic.name] = self._declare(topic)

    def write(self, topic: str, time_ns: int, data: bytes) -> None:
        """Write a message of an announced topic.

        Args:
            topic: Its name.
            time_ns: When it was received [ns].
            data: CDR bytes as received.
        """
        if self._is_full(time_ns):
            self._split(time_ns)
        if not self._begun_ns:
            self._begun_ns = time_ns
        if self.metadata.topics[topic].is_latched:
            self._latched[topic] = time_ns, data
        self._file.write(self._channels[topic], time_ns, time_ns, data)

    def flush(self) -> None:
        """Hand everything to the operating system."""
        self._file.flush()

    def set_custom(self, key: str, value: str) -> None:
        """Set custom data, on the disk at once."""
        self.metadata.custom[key] = value
        self.metadata.save(self.folder)

    def close(self, custom: Mapping[str, str]) -> BagMetadata:
        """Write index and metadata.

        Args:
            custom: Further custom data, the outcome among them.
        """
        self.metadata.custom.update(custom)
        self._seal()
        self.metadata.save(self.folder)
        os.close(self._lock)
        return self.metadata

    def abandon(self) -> None:
        """Close without an end; the bag can be repaired."""
        self._file.abandon()
        os.close(self._lock)

    def discard(self) -> None:
        """Delete the bag."""
        self.abandon()
        try:
            shutil.rmtree(self.folder)
        except OSError as error:
            raise StorageError(f"folder {self.folder}", got=error.strerror) from error

    def _open(self) -> McapWriter:
        name = f"{self.folder.name}_{len(self.metadata.files)}.mcap"
        file = McapWriter(self.folder / name, compress=self._compress)
        # The metadata name the file from the beginning: a repair knows what belongs to the bag.
        pending = bag_file(name, file.summary)
        self.metadata.files.append(pending)
        self.metadata.save(self.folder)
        self.metadata.files.pop()
        return file

    def _declare(self, topic: Topic) -> int:
        definition = message_definition(topic.type_name)
        return self._file.add_channel(
            topic.name, topic.type_name, definition, topic.channel_metadata
        )

    def _is_full(self, time_ns: int) -> bool:
        limit = self._splitting
        if not self._file.summary.message_count:
            return False
        age_s = (time_ns - self._begun_ns) * 1e-9
        return 0 < limit.bytes <= self._file.size or 0 < limit.seconds <= age_s

    def _split(self, time_ns: int) -> None:
        self._seal()
        self._file = self._open()
        self._begun_ns = time_ns
        self._channels = {t.name: self._declare(t) for t in self.metadata.topics.values()}
        for topic, (first_ns, data) in self._latched.items():
            self._file.write(self._channels[topic], time_ns, first_ns, data)

    def _seal(self) -> None:
        self._file.flush()
        self.metadata.files.append(bag_file(self._file.path.name, self._file.summary))
        self._file.close({"serialized_metadata": self.metadata.text()})
