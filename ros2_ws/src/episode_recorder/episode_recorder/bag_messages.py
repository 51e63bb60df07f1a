"""Messages of a bag, in the order of their reception, without the repetitions of split files."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rclpy.serialization import deserialize_message

from episode_recorder.bag_metadata import BagMetadata, load_metadata
from episode_recorder.errors import BagFormatError, BagTypeError
from episode_recorder.mcap_reader import McapReader
from episode_recorder.message_definitions import message_class, type_hash


@dataclass(frozen=True, slots=True)
class BagMessage:
    """A message, still as bytes.

    Attributes:
        topic: Its topic.
        type_name: Its type.
        time_ns: When it was received [ns].
        data: CDR bytes.
    """

    topic: str
    type_name: str
    time_ns: int
    data: bytes

    def decode(self) -> Any:
        """The message.

        Raises:
            BagFormatError: The bytes are not one.
        """
        try:
            return deserialize_message(self.data, message_class(self.type_name))
        except BagTypeError:
            raise
        except Exception as error:  # rclpy raises its own kinds, and more with a bad length
            raise BagFormatError(
                f"message on {self.topic}", got=f"{len(self.data)} bytes that are no "
                f"{self.type_name}",
            ) from error  # fmt: skip


@dataclass(frozen=True, slots=True)
class BagContent:
    """What was read of a bag.

    Attributes:
        folder: Of the bag.
        metadata: What the bag says of itself; its figures are not used.
        messages: Of the wanted topics, in the order of reception.
        times_ns: Times of all messages of each topic, the others' too [ns].
        cuts: Where files end without an end, one sentence each.
    """

    folder: Path
    metadata: BagMetadata
    messages: list[BagMessage]
    times_ns: dict[str, list[int]]
    cuts: list[str]


def read_bag(folder: Path, topics: Collection[str]) -> BagContent:
    """Read a bag; what a killed recorder left is read up to where it was cut.

    Args:
        folder: Of the bag.
        topics: Whose messages are wanted.

    Raises:
        BagFormatError: It is no bag, or damaged.
        BagTypeError: A wanted topic has a type of another version than is installed.
    """
    metadata = load_metadata(folder)
    content = BagContent(folder, metadata, [], {}, [])
    messages, wanted, ours = content.messages, set(topics), "outcome" in metadata.custom
    for file in metadata.files:
        reader = McapReader(folder / file.name)
        for raw in reader.messages():
            # A latched message that the recorder wrote again at the beginning of a file. In the
            # bags of others the publish time means something else.
            if ours and raw.publish_ns < raw.log_ns:
                continue
            topic = raw.channel.topic
            content.times_ns.setdefault(topic, []).append(raw.log_ns)
            if topic in wanted:
                schema = reader.summary.schemas[raw.channel.schema_id]
                _check_version(topic, schema.name, raw.channel.metadata)
                messages.append(BagMessage(topic, schema.name, raw.log_ns, raw.data))
        if reader.cut:
            content.cuts.append(f"{file.name} {reader.cut}")
    return content


def _check_version(topic: str, type_name: str, channel: Any) -> None:
    recorded = channel.get("topic_type_hash", "")
    if recorded and recorded != (installed := type_hash(type_name)):
        raise BagTypeError(
            f"{topic} has another version of {type_name}", got=recorded, expected=installed,
            remedy="Convert the bag with the version of this project that recorded it.",
        )  # fmt: skip
