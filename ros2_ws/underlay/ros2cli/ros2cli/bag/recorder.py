"""Recording: from raw subscriptions into an MCAP bag."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from rclpy.qos import DurabilityPolicy, ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo
from rosbags.interfaces import Connection
from rosbags.rosbag2 import (
    CompressionFormat,
    CompressionMode,
    StoragePlugin,
    Writer,
    WriterError,
)

from ros2cli.bag.offered_qos import to_bag
from ros2cli.errors import CommandError
from ros2cli.graph import topics
from ros2cli.interface_files import complete_definition, definition_file
from ros2cli.qos_options import matching_qos
from ros2cli.session import Session
from ros2cli.type_loading import load_type

# Deep enough for the bursts that come while a chunk is compressed and written.
_DEPTH = 1000
_METADATA_VERSION: Final = 9


def type_hash(full_name: str) -> str:
    """Return the RIHS01 hash of an installed message.

    Raises:
        CommandError: The package was installed without type descriptions.
    """
    path = definition_file(full_name).with_suffix(".json")
    try:
        hashes = json.loads(path.read_text(encoding="utf-8"))["type_hashes"]
        return next(entry["hash_string"] for entry in hashes if entry["type_name"] == full_name)
    except (OSError, ValueError, KeyError, StopIteration) as error:
        raise CommandError(f"No type hash of '{full_name}' in {path}") from error


class Recorder:
    """Subscribes to topics as they appear and writes what arrives.

    Args:
        session: The session; its executor calls this object in the main thread only.
        path: Folder of the new bag.
        wanted: Tells whether a topic is to be recorded.
        compression: What is compressed.
        include_hidden: Consider hidden topics too.

    Raises:
        CommandError: The folder exists already.
    """

    def __init__(
        self,
        session: Session,
        path: Path,
        wanted: Callable[[str], bool],
        *,
        compression: CompressionMode = CompressionMode.NONE,
        include_hidden: bool = False,
    ) -> None:
        self._session = session
        self._wanted = wanted
        self._include_hidden = include_hidden
        self._topics: set[str] = set()
        self._warned: set[str] = set()
        self.message_count = 0
        try:
            self._writer = Writer(
                path, version=_METADATA_VERSION, storage_plugin=StoragePlugin.MCAP
            )
            self._writer.set_compression(compression, CompressionFormat.ZSTD)
            self._writer.open()
        except (WriterError, OSError) as error:
            raise CommandError(f"Cannot record to '{path}': {error}") from error

    def poll(self) -> None:
        """Subscribe to the wanted topics that have appeared since the last call."""
        for name, types in topics(self._session, include_hidden=self._include_hidden):
            if not self._wanted(name):
                continue
            publishers = self._session.node.get_publishers_info_by_topic(name)
            if name in self._topics:
                self._check_publishers(name, publishers)
            elif publishers:
                self._subscribe(name, types, publishers)

    def close(self) -> None:
        """Write the index and the metadata; without them the bag needs a repair."""
        if not self.message_count:
            # The writer's own placeholder for "no message yet" is the year 2262.
            self._writer.min_timestamp = 0
        self._writer.close()

    def _subscribe(self, name: str, types: list[str], publishers: list[TopicEndpointInfo]) -> None:
        if len(types) > 1:
            self._warn(name, f"it has several types: {', '.join(types)}")
            return
        try:
            message_type = load_type(types[0], "msg")
            connection = self._writer.add_connection(
                name,
                types[0],
                msgdef=complete_definition(types[0]),
                rihs01=type_hash(types[0]),
                offered_qos_profiles=[to_bag(publisher.qos_profile) for publisher in publishers],
            )
        except CommandError as error:
            self._warn(name, str(error))
            return
        self._topics.add(name)
        self._session.node.create_subscription(
            message_type,
            name,
            self._writing_to(connection),
            matching_qos(publishers, _DEPTH),
            raw=True,
        )
        self._check_hash(name, connection, publishers)
        print(f"Subscribed to topic '{name}'", file=sys.stderr, flush=True)

    def _writing_to(self, connection: Connection) -> Callable[..., None]:
        # Two parameters: rclpy then passes the reception time of the middleware, which does not
        # suffer from a queue in this process. (Jazzy's EventsExecutor fails on such a callback.)
        def write(data: bytes, info: dict[str, Any]) -> None:
            self._writer.write(connection, info["received_timestamp"], data)
            self.message_count += 1

        return write

    def _check_hash(
        self, name: str, connection: Connection, publishers: list[TopicEndpointInfo]
    ) -> None:
        for publisher in publishers:
            offered = str(publisher.topic_type_hash)
            # Vendors' robots publish from plain DDS, without a hash.
            if offered.startswith("RIHS01_") and offered != connection.digest:
                self._warn(
                    name,
                    f"'{publisher.node_name}' publishes another version of {connection.msgtype} "
                    "than is installed here: its messages may be unreadable",
                )

    def _check_publishers(self, name: str, publishers: list[TopicEndpointInfo]) -> None:
        """Warn of publishers that came later and offer less than is subscribed to."""
        for subscription in self._session.node.subscriptions:
            if subscription.topic_name != name:
                continue
            wanted = subscription.qos_profile
            for offered in (publisher.qos_profile for publisher in publishers):
                unreliable = (
                    wanted.reliability == ReliabilityPolicy.RELIABLE
                    and offered.reliability == ReliabilityPolicy.BEST_EFFORT
                )
                volatile = (
                    wanted.durability == DurabilityPolicy.TRANSIENT_LOCAL
                    and offered.durability == DurabilityPolicy.VOLATILE
                )
                if unreliable or volatile:
                    self._warn(name, "a new publisher offers a weaker QoS and is not recorded")

    def _warn(self, name: str, text: str) -> None:
        """Say something about a topic, once: `poll` comes ten times a second."""
        warning = f"WARNING: topic '{name}': {text}"
        if warning not in self._warned:
            self._warned.add(warning)
            print(warning, file=sys.stderr, flush=True)
