"""``metadata.yaml`` of a bag, version 9, as rosbag2 of Jazzy writes it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from planner_core.plain_data import read_json, read_yaml

from episode_recorder.errors import BagFormatError, StorageError
from episode_recorder.mcap_records import Summary

FILE_NAME: Final = "metadata.yaml"
VERSION: Final = 9


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of a bag.

    Attributes:
        name: Full name.
        type_name: E.g. ``std_msgs/msg/String``.
        type_hash: RIHS01 hash of the type.
        offered_qos: Profiles of its publishers, as `offered_qos.stored_qos` gives them.
    """

    name: str
    type_name: str
    type_hash: str
    offered_qos: Sequence[Mapping[str, Any]] = ()

    @property
    def is_latched(self) -> bool:
        """Whether all its publishers keep their last message for those who come later."""
        return bool(self.offered_qos) and all(
            qos.get("durability") == "transient_local" for qos in self.offered_qos
        )

    @property
    def channel_metadata(self) -> dict[str, str]:
        """What an MCAP file says of it."""
        profiles = [dict(qos) for qos in self.offered_qos]
        return {
            "offered_qos_profiles": yaml.safe_dump(profiles, sort_keys=False) if profiles else "",
            "topic_type_hash": self.type_hash,
        }


@dataclass(frozen=True, slots=True)
class BagFile:
    """A file of a bag.

    Attributes:
        name: In the bag's folder.
        start_ns: Time of its first message [ns].
        end_ns: Time of its last message [ns].
        counts: Messages by topic.
    """

    name: str
    start_ns: int
    end_ns: int
    counts: Mapping[str, int]

    @property
    def message_count(self) -> int:
        """Messages of the file."""
        return sum(self.counts.values())


@dataclass(slots=True)
class BagMetadata:
    """What a bag says of itself.

    Attributes:
        topics: By name.
        files: In the order of time.
        custom: Whatever its recorder adds; values are text, JSON where they are structured.
        ros_distro: Of the recorder.
    """

    topics: dict[str, Topic] = field(default_factory=dict)
    files: list[BagFile] = field(default_factory=list)
    custom: dict[str, str] = field(default_factory=dict)
    ros_distro: str = ""

    @property
    def message_count(self) -> int:
        """Messages of all files."""
        return sum(file.message_count for file in self.files)

    @property
    def start_ns(self) -> int:
        """Time of the first message; 0 without any [ns]."""
        return min((f.start_ns for f in self.files if f.message_count), default=0)

    @property
    def end_ns(self) -> int:
        """Time of the last message; 0 without any [ns]."""
        return max((f.end_ns for f in self.files if f.message_count), default=0)

    def custom_json(self, key: str) -> Any:
        """A structured value that the recorder added.

        Raises:
            BagFormatError: It is missing or not JSON.
        """
        try:
            return read_json(self.custom[key])
        except (KeyError, ValueError) as error:
            raise BagFormatError(f"custom data {key!r} of the bag") from error

    def to_dict(self) -> dict[str, Any]:
        """As it lies below ``rosbag2_bagfile_information``."""
        totals = {
            name: sum(file.counts.get(name, 0) for file in self.files) for name in self.topics
        }
        return {
            "version": VERSION,
            "storage_identifier": "mcap",
            "duration": {"nanoseconds": self.end_ns - self.start_ns},
            "starting_time": {"nanoseconds_since_epoch": self.start_ns},
            "message_count": self.message_count,
            "topics_with_message_count": [
                {
                    "topic_metadata": {
                        "name": topic.name,
                        "type": topic.type_name,
                        "serialization_format": "cdr",
                        "offered_qos_profiles": [dict(qos) for qos in topic.offered_qos],
                        "type_description_hash": topic.type_hash,
                    },
                    "message_count": totals[name],
                }
                for name, topic in self.topics.items()
            ],
            # The chunks of the MCAP files are compressed, not the bag.
            "compression_format": "",
            "compression_mode": "",
            "relative_file_paths": [file.name for file in self.files],
            "files": [
                {
                    "path": file.name,
                    "starting_time": {"nanoseconds_since_epoch": file.start_ns},
                    "duration": {"nanoseconds": file.end_ns - file.start_ns},
                    "message_count": file.message_count,
                }
                for file in self.files
            ],
            "custom_data": dict(self.custom) or None,
            "ros_distro": self.ros_distro,
        }

    def text(self) -> str:
        """As it is kept within an MCAP file."""
        return yaml.dump(self.to_dict(), Dumper=_Dumper, sort_keys=False, width=1 << 30)

    def save(self, folder: Path) -> None:
        """Replace ``metadata.yaml``, at no instant leaving a half-written one.

        Raises:
            StorageError: It cannot be written.
        """
        content = {"rosbag2_bagfile_information": self.to_dict()}
        temporary = folder / f"{FILE_NAME}.tmp"
        try:
            temporary.write_text(
                yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=1 << 30),
                encoding="utf-8",
            )
            os.replace(temporary, folder / FILE_NAME)
        except OSError as error:
            raise StorageError(f"bag {folder}: {FILE_NAME}", got=error.strerror) from error


class _Dumper(yaml.SafeDumper):
    """Repeats equal profiles instead of pointing at them: readers need not know YAML's aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def bag_file(name: str, summary: Summary) -> BagFile:
    """A file by what its end says."""
    counts = {summary.channels[i].topic: n for i, n in summary.counts.items()}
    return BagFile(name, summary.start_ns, summary.end_ns, counts)


def load_metadata(folder: Path) -> BagMetadata:
    """Read what is needed of the metadata of a bag, whoever wrote it.

    The figures of the files are left out: those of an unfinished bag are not true.

    Raises:
        BagFormatError: There is none, or it is not as it should be.
    """
    path = folder / FILE_NAME
    try:
        content = read_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BagFormatError(
            f"{folder} is no bag: {FILE_NAME}", got=error.strerror,
            remedy="Give the folder of a bag; after a crash: python -m episode_recorder repair.",
        ) from error  # fmt: skip
    except ValueError as error:
        raise BagFormatError(f"{path} is not YAML", got=error) from error
    try:
        information = content["rosbag2_bagfile_information"]
        storage = information["storage_identifier"]
        names = list(information["relative_file_paths"])
        custom = information.get("custom_data") or {}
        topics = [
            topic_from_dict(entry["topic_metadata"])
            for entry in information["topics_with_message_count"]
        ]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BagFormatError(f"{path} is not the metadata of a bag", got=repr(error)) from error
    if storage != "mcap":
        raise BagFormatError(
            f"bag {folder}: storage", got=storage, expected="mcap",
            remedy="Convert it: ros2 bag convert.",
        )  # fmt: skip
    for name in names:
        if not isinstance(name, str) or Path(name).name != name:
            raise BagFormatError(f"{path}: relative_file_paths", got=name, expected="a file name")
    if not isinstance(custom, dict):
        raise BagFormatError(
            f"{path}: custom_data", got=type(custom).__name__, expected="a mapping"
        )
    return BagMetadata(
        {topic.name: topic for topic in topics},
        [BagFile(name, 0, 0, {}) for name in names],
        {str(key): str(value) for key, value in custom.items()},
        str(information.get("ros_distro", "")),
    )


def topic_from_dict(data: Any) -> Topic:
    """A topic as ``metadata.yaml`` has it; bags of version 8 and older keep the QoS as text."""
    profiles = data["offered_qos_profiles"]
    if isinstance(profiles, str):
        profiles = read_yaml(profiles) or []
    return Topic(
        str(data["name"]), str(data["type"]), str(data.get("type_description_hash", "")),
        [dict(profile) for profile in profiles],
    )  # fmt: skip
