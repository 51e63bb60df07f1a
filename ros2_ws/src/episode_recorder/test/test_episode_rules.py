"""When episodes begin and end, what they are called, and what must be heard before."""

from __future__ import annotations

from pathlib import Path

import pytest
from episode_recorder.bag_metadata import Topic
from episode_recorder.episode_names import next_name, valid_name
from episode_recorder.errors import EpisodeNameError, TopicAuditError
from episode_recorder.navigation_episodes import Begin, End, NavigationEpisodes, Status
from episode_recorder.offered_qos import hears, stored_qos
from episode_recorder.topic_watch import TopicWatch, WatchedTopic
from planner_ros.qos import LATCHED, LATEST

A, B = b"a", b"b"
ACCEPTED, SUCCEEDED, ABORTED = (
    s.value for s in (Status.ACCEPTED, Status.SUCCEEDED, Status.ABORTED)
)


def test_a_goal_is_an_episode() -> None:
    episodes = NavigationEpisodes()
    assert episodes.update([(A, ACCEPTED)]) == [Begin(A)]
    assert episodes.update([(A, ACCEPTED)]) == []
    assert episodes.update([(A, SUCCEEDED)]) == [End(A, Status.SUCCEEDED)]
    assert episodes.update([(A, SUCCEEDED), (B, ACCEPTED)]) == [Begin(B)]


def test_a_goal_that_ended_before_is_none() -> None:
    episodes = NavigationEpisodes()
    assert episodes.update([(A, ABORTED)]) == []
    assert episodes.update([(A, ABORTED), (B, ACCEPTED)]) == [Begin(B)]


def test_a_goal_that_replaces_another_follows_its_end() -> None:
    episodes = NavigationEpisodes()
    episodes.update([(A, ACCEPTED)])
    assert episodes.update([(A, ACCEPTED), (B, ACCEPTED)]) == []
    assert episodes.update([(A, ABORTED), (B, ACCEPTED)]) == [End(A, Status.ABORTED), Begin(B)]


def test_a_goal_that_vanishes_has_ended() -> None:
    episodes = NavigationEpisodes()
    episodes.update([(A, ACCEPTED)])
    assert episodes.update([]) == [End(A, Status.UNKNOWN)]


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "a..b", "x" * 200, "line\n"])
def test_names_that_name_no_folder(name: str) -> None:
    with pytest.raises(EpisodeNameError) as caught:
        valid_name(name)
    assert caught.value.code == 904


def test_episodes_are_numbered(tmp_path: Path) -> None:
    assert next_name(tmp_path / "none", "episode") == "episode_0000"
    for name in ("episode_0003", "other_0007", "episode_x"):
        (tmp_path / name).mkdir()
    assert next_name(tmp_path, "episode") == "episode_0004"


def watch(heard_ns: int | None, *, latched: bool = False) -> TopicWatch:
    qos = stored_qos(LATCHED if latched else LATEST)
    topic = Topic("/state", "std_msgs/msg/String", "", [qos])
    return TopicWatch({"/state": WatchedTopic(topic, heard_ns)})


@pytest.mark.parametrize(
    ("topics", "said"),
    [
        (TopicWatch(), "/state is not published"),
        (watch(None), "/state has been silent so far"),
        (watch(7 * 10**9), "/state has been silent for 3.0 s"),
    ],
)
def test_a_silent_topic_refuses(topics: TopicWatch, said: str) -> None:
    with pytest.raises(TopicAuditError, match=said) as caught:
        topics.audit(["/state"], 10 * 10**9, 1.0)
    assert caught.value.code == 902


def test_topics_that_are_heard_pass() -> None:
    watch(10 * 10**9 - 5).audit(["/state"], 10 * 10**9, 1.0)
    watch(0, latched=True).audit(["/state"], 10 * 10**9, 1.0)
    TopicWatch().audit([], 0, 1.0)


def test_a_weaker_publisher_is_noticed() -> None:
    assert hears(LATEST, LATCHED)
    assert not hears(LATCHED, LATEST)
