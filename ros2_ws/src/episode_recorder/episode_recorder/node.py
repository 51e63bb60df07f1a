"""Records episodes: each a bag of its own, with what it takes to understand it later.

The recorder subscribes to its topics from the start, so that an episode begins at once, with the
last map and goal in it, and only where the topics that it needs are alive.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from action_msgs.msg import GoalStatusArray
from planner_core.clock import seconds
from planner_core.errors import OK, DriftpilotError
from planner_core.plain_data import read_yaml
from planner_interfaces.srv import AnnotateEpisode, StartEpisode, StopEpisode
from planner_ros.clock import RosClock
from planner_ros.parameters import NodeParameters
from planner_ros.process import run
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from rclpy.subscription import Subscription
from rclpy.topic_endpoint_info import TopicEndpointInfo
from std_msgs.msg import String

from episode_recorder.bag_metadata import Topic
from episode_recorder.bag_repair import is_unfinished, repair
from episode_recorder.bag_writer import BagWriter, Splitting
from episode_recorder.episode_names import next_name, valid_name
from episode_recorder.errors import BagTypeError, EpisodeStateError, StorageError, TopicAuditError
from episode_recorder.message_definitions import message_class, type_hash
from episode_recorder.navigation_episodes import Begin, End, NavigationEpisodes, Status
from episode_recorder.offered_qos import hears, stored_qos, subscription_qos
from episode_recorder.parameter_collection import ParameterCollection
from episode_recorder.provenance import custom_data
from episode_recorder.recorder_parameters import EpisodeRecorderParameters
from episode_recorder.recording import Recording
from episode_recorder.topic_watch import TopicWatch, WatchedTopic

DEPTH: Final = 1000
"""Messages of a topic that the middleware keeps while this process is busy: half a second at
2 000 a second."""
MEGABYTE: Final = 10**6
WORLD_TYPE: Final = "std_msgs/msg/String"
OUTCOMES: Final = {StopEpisode.Request.SUCCESS: "success", StopEpisode.Request.FAILURE: "failure"}
ACTION_STATUS: Final = QoSProfile(
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)


class EpisodeRecorder(Node):
    """Services to begin, annotate and end episodes; the navigation action does it too."""

    def __init__(self) -> None:
        super().__init__("episode_recorder", automatically_declare_parameters_from_overrides=True)
        self._time = RosClock(self)
        self._settings = NodeParameters(self, EpisodeRecorderParameters)
        self._parameter_values = ParameterCollection(self)
        self._watch = TopicWatch()
        self._heard: dict[str, Subscription] = {}
        self._refused: set[str] = set()
        self._recording: Recording | None = None
        self._lost_before: dict[str, int] = {}
        self._notes: list[dict[str, Any]] = []
        self._parameters: dict[str, dict[str, Any]] = {}
        self._world = ""
        self._navigation = NavigationEpisodes()
        self._is_automatic = False
        self._accepted_ns: int | None = None
        self._wanted = {self.resolve_topic_name(n) for n in self._settings.values.topics}
        self._repair_leftovers()
        self.create_service(StartEpisode, "episode/start", self._on_start)
        self.create_service(StopEpisode, "episode/stop", self._on_stop)
        self.create_service(AnnotateEpisode, "episode/annotate", self._on_annotate)
        self.create_subscription(
            GoalStatusArray, "navigate/_action/status", self._on_navigation, ACTION_STATUS
        )
        self.create_timer(0.1, self._find_topics)
        self.create_timer(0.5, self._look_after)

    def shut_down(self) -> None:
        """End the running episode; its outcome stays open."""
        if self._recording is not None:
            self._end("interrupted", "the recorder was shut down")

    # Episodes.

    def begin(self, name: str = "", tags: list[str] | None = None) -> Path:
        """Begin an episode.

        Args:
            name: Of its folder; empty: numbered.
            tags: Kept with it.

        Raises:
            EpisodeStateError: One is running.
            TopicAuditError: A required topic is missing or silent.
            StorageError: Its folder cannot be written to, or the disk is nearly full.
        """
        if self._recording is not None:
            raise EpisodeStateError(
                "episode begun while another runs", got=self._recording.bag.folder.name,
                remedy="End it first.",
            )  # fmt: skip
        values = self._settings.values
        required = [self.resolve_topic_name(name) for name in values.required_topics if name]
        self._watch.audit(required, self._time.steady_ns(), values.silent_s)
        self._parameters, self._world = {}, ""
        root = Path(values.folder)
        folder = root / (valid_name(name) if name else next_name(root, values.prefix))
        self._check_disk(root)
        bag = BagWriter(
            folder,
            self._custom(tags or []),
            splitting=Splitting(values.split_mb * MEGABYTE, values.split_s),
            compress=values.compress,
            ros_distro=os.environ.get("ROS_DISTRO", ""),
        )
        try:
            self._fill_in(bag)
        except DriftpilotError:
            bag.discard()
            raise
        self._notes = []
        self._lost_before = {name: watched.lost for name, watched in self._watch.topics.items()}
        self._recording = Recording(bag, self._time, values.queue_mb * MEGABYTE)
        self.get_logger().info(f"recording {folder}")
        return folder

    def _fill_in(self, bag: BagWriter) -> None:
        """Announce every topic, and write what is known of the world already."""
        now_ns = self._time.now_ns()
        for watched in self._watch.topics.values():
            bag.add_topic(watched.topic)
            if watched.latched is not None:
                bag.write(watched.topic.name, now_ns, watched.latched[1])

    def _custom(self, tags: list[str]) -> dict[str, str]:
        return {"tags": json.dumps(tags), **self._provenance()}

    def _provenance(self) -> dict[str, str]:
        """What is known of the graph: at the beginning, completed at the end.

        A node that answers only in the course of the episode belongs to it; what changes is
        recorded as parameter events.
        """
        self._parameters = {**copy.deepcopy(self._parameter_values.values), **self._parameters}
        self._world = self._world or self._world_name()
        return custom_data(self._world, self._parameters, self._parameter_values.unanswered)

    def _world_name(self) -> str:
        watched = self._watch.topics.get(self.resolve_topic_name("world/description"))
        if watched is None or watched.latched is None or watched.topic.type_name != WORLD_TYPE:
            return ""
        try:
            return str(read_yaml(deserialize_message(watched.latched[1], String).data)["name"])
        except (ValueError, TypeError, KeyError):
            return "unreadable"

    def _end(self, outcome: str, note: str) -> Recording:
        recording, self._recording = self._recording, None
        self._is_automatic = False
        if recording is None:
            raise EpisodeStateError("no episode is running", remedy="Begin one first.")
        self._count_lost(recording)
        custom = {
            **self._provenance(),
            "outcome": outcome,
            "note": note,
            "notes": json.dumps(self._notes),
            "dropped": json.dumps(recording.drops.to_dict()),
            "duration_s": f"{recording.duration_s:.3f}",
        }
        recording.end(custom)
        bag, dropped = recording.bag, recording.drops.total
        text = f"recorded {bag.folder}: {outcome}, {bag.metadata.message_count} messages"
        if dropped:
            self.get_logger().warning(f"{text}, {dropped} lost: {recording.drops.to_dict()}")
        else:
            self.get_logger().info(text)
        return recording

    def _count_lost(self, recording: Recording) -> None:
        for name, watched in self._watch.topics.items():
            if lost := watched.lost - self._lost_before.get(name, 0):
                recording.drops.middleware[name] = lost

    def _check_disk(self, folder: Path) -> None:
        reserve_mb = self._settings.values.reserve_mb
        try:
            folder.mkdir(parents=True, exist_ok=True)
            free_mb = shutil.disk_usage(folder).free // MEGABYTE
        except OSError as error:
            raise StorageError(
                f"folder {folder}", got=error.strerror, remedy="Set the parameter `folder`."
            ) from error
        if free_mb < reserve_mb:
            raise StorageError(
                f"disk of {folder} is nearly full", got=f"{free_mb} MB free",
                expected=f"{reserve_mb} MB or more", remedy="Free space, or set `reserve_mb`.",
            )  # fmt: skip

    def _look_after(self) -> None:
        """End what can no longer be written; ask new nodes for their parameters."""
        self._parameter_values.poll()
        recording = self._recording
        if recording is None:
            return
        error = recording.failure
        if error is None:
            try:
                self._check_disk(recording.bag.folder)
            except DriftpilotError as full:
                error = full
        if error is not None:
            self._attempt(lambda: self._end("interrupted", str(error)))
            self.get_logger().error(f"episode ended: {error}")

    def _repair_leftovers(self) -> None:
        """Give the bags of a recorder that was killed their end."""
        root = Path(self._settings.values.folder)
        for folder in sorted(root.iterdir()) if root.is_dir() else []:
            self._attempt(lambda folder=folder: self._repair(folder))

    def _repair(self, folder: Path) -> None:
        if is_unfinished(folder):
            count = repair(folder).message_count
            self.get_logger().warning(f"repaired {folder}, cut off by a crash: {count} messages")

    def _attempt(self, action: Callable[[], object]) -> DriftpilotError | None:
        """Do something whose failure is said, and does not end the node."""
        try:
            action()
        except DriftpilotError as error:
            self.get_logger().error(str(error))
            return error
        return None

    # Services and the navigation action.

    def _on_start(
        self, request: StartEpisode.Request, response: StartEpisode.Response
    ) -> StartEpisode.Response:
        try:
            response.uri = str(self.begin(request.name, list(request.tags)))
            response.success, response.error_code = True, OK
        except DriftpilotError as error:
            response.error_code, response.message = error.code, str(error)
        return response

    def _on_stop(
        self, request: StopEpisode.Request, response: StopEpisode.Response
    ) -> StopEpisode.Response:
        try:
            if request.outcome == StopEpisode.Request.DISCARD:
                response.uri = str(self._discard())
            else:
                if request.outcome not in OUTCOMES:
                    raise EpisodeStateError(
                        "outcome", got=request.outcome, expected="SUCCESS, FAILURE or DISCARD"
                    )
                recording = self._end(OUTCOMES[request.outcome], request.note)
                response.uri = str(recording.bag.folder)
                response.messages = recording.bag.metadata.message_count
                response.dropped = recording.drops.total
                response.duration_s = recording.duration_s
            response.success, response.error_code = True, OK
        except DriftpilotError as error:
            response.error_code, response.message = error.code, str(error)
        return response

    def _on_annotate(
        self, request: AnnotateEpisode.Request, response: AnnotateEpisode.Response
    ) -> AnnotateEpisode.Response:
        if self._recording is None:
            error = EpisodeStateError("no episode is running", remedy="Begin one first.")
            response.error_code, response.message = error.code, str(error)
            return response
        self._notes.append({"time_ns": self._time.now_ns(), "note": request.note})
        self._recording.set_custom("notes", json.dumps(self._notes))
        response.success, response.error_code = True, OK
        return response

    def _discard(self) -> Path:
        recording, self._recording = self._recording, None
        self._is_automatic = False
        if recording is None:
            raise EpisodeStateError("no episode is running", remedy="Begin one first.")
        recording.discard()
        self.get_logger().info(f"discarded {recording.bag.folder}")
        return recording.bag.folder

    def _on_navigation(self, msg: GoalStatusArray) -> None:
        goals = [(bytes(s.goal_info.goal_id.uuid), s.status) for s in msg.status_list]
        for change in self._navigation.update(goals):
            if isinstance(change, Begin) and self._settings.values.automatic:
                self._accepted_ns = self._time.steady_ns()
                self._begin_automatically()
            elif isinstance(change, End) and self._accepted_ns is not None:
                self._accepted_ns = None
                self.get_logger().error("the goal ended before its recording could begin")
            elif isinstance(change, End) and self._is_automatic:
                succeeded = change.status is Status.SUCCEEDED
                outcome, note = "success" if succeeded else "failure", change.status.name.lower()
                self._attempt(lambda outcome=outcome, note=note: self._end(outcome, note))

    def _begin_automatically(self) -> None:
        """Begin the episode of a goal, as soon as the topics that it needs are heard."""
        if self._accepted_ns is None:
            return
        if self._recording is not None:
            # One that somebody began by service goes on over all goals.
            self._accepted_ns = None
            return
        waited_s = seconds(self._time.steady_ns() - self._accepted_ns)
        try:
            self.begin()
            self._is_automatic, self._accepted_ns = True, None
        except TopicAuditError as error:
            if waited_s > self._settings.values.patience_s:
                self._accepted_ns = None
                self.get_logger().error(f"the goal is not recorded: {error}")
        except DriftpilotError as error:
            self._accepted_ns = None
            self.get_logger().error(f"the goal is not recorded: {error}")

    # Topics.

    def _find_topics(self) -> None:
        """Subscribe to wanted topics that have appeared."""
        for name, types in self.get_topic_names_and_types():
            if name in self._wanted and name not in self._refused:
                try:
                    self._follow(name, types, self.get_publishers_info_by_topic(name))
                except BagTypeError as error:
                    self._refused.add(name)
                    self.get_logger().error(f"{name} is not recorded: {error}")
        self._begin_automatically()

    def _follow(self, name: str, types: list[str], publishers: list[TopicEndpointInfo]) -> None:
        """Subscribe, or subscribe anew where a publisher has come that offers less."""
        subscription = self._heard.get(name)
        if not publishers:
            return
        if subscription is not None:
            if all(hears(subscription.qos_profile, p.qos_profile) for p in publishers):
                return
            self.destroy_subscription(subscription)
        topic = Topic(
            name, types[0], type_hash(types[0]), [stored_qos(p.qos_profile) for p in publishers]
        )
        watched = self._watch.topics.setdefault(name, WatchedTopic(topic))
        watched.topic = topic
        self._heard[name] = self.create_subscription(
            message_class(types[0]),
            name,
            self._taker(watched),
            subscription_qos(publishers, DEPTH),
            event_callbacks=SubscriptionEventCallbacks(
                message_lost=lambda event: self._on_lost(watched, event.total_count_change),
                use_default_callbacks=False,
            ),
            raw=True,
        )
        if self._recording is not None:
            self._recording.announce(topic)

    def _taker(self, watched: WatchedTopic) -> Callable[[bytes], None]:
        name, time = watched.topic.name, self._time

        def take(data: bytes) -> None:
            now_ns = time.now_ns()
            watched.heard_ns = time.steady_ns()
            if watched.topic.is_latched:
                watched.latched = now_ns, data
            if self._recording is not None:
                self._recording.take(name, now_ns, data)

        return take

    def _on_lost(self, watched: WatchedTopic, count: int) -> None:
        watched.lost += count


def main() -> int:
    """Entry of the process."""
    return run(EpisodeRecorder)
