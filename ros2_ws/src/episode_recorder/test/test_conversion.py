"""From bags to data sets: true to what was flown, cut where it must be, refused clearly."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from episode_recorder.__main__ import main
from episode_recorder.conversion import ConversionSettings, convert
from episode_recorder.dataset_command import find_bags, recordings_of
from episode_recorder.errors import BagContentError, BagError
from planner_core.dataset_file import load, split_of
from planner_core.errors import DatasetError
from planner_core.robots import load_robot

START_NS = 1_700_000_000_000_000_000
ROBOT = load_robot("crazyflie")
SETTINGS = ConversionSettings()
WriteBag = Callable[..., Path]
Messages = list[tuple[str, int, Any]]


def test_samples_lie_on_the_curve(write_bag: WriteBag, flown: Callable[[float], Any]) -> None:
    result = convert(write_bag(), ROBOT, SETTINGS)
    assert result.cuts == []
    (episode,) = result.episodes
    assert episode.steps == 28
    times = (episode.start_ns - START_NS) * 1e-9 + 0.1 * np.arange(episode.steps + 1)
    position, velocity, acceleration = (
        np.array(values) for values in zip(*(flown(t) for t in times), strict=True)
    )
    np.testing.assert_allclose(episode.position, position, atol=1e-8)
    np.testing.assert_allclose(episode.velocity, velocity, atol=2e-5)
    # A difference over 0.1 s: 0.1**2 / 24 of the fourth derivative.
    np.testing.assert_allclose(episode.acceleration, acceleration, atol=1e-3)
    # What a planner has is up to 12 ms old.
    assert 1e-4 < np.abs(episode.observations["position"] - position).max() < 0.0121
    np.testing.assert_allclose(episode.command[0], position, atol=0.014)
    assert episode.observations["scan"].shape == (29, 48)
    assert (episode.observations["goal"] == [0.0, 5.0, 1.0, 0.0]).all()
    assert episode.success
    assert episode.terminated


def test_a_gap_is_cut_not_filled(write_bag: WriteBag) -> None:
    def change(messages: Messages) -> Messages:
        begin, end = START_NS + 1_200_000_000, START_NS + 1_700_000_000
        return [m for m in messages if m[0] != "/state" or not begin < m[1] < end]

    result = convert(write_bag(change=change), ROBOT, SETTINGS)
    assert [cut for cut in result.cuts if "gap of 0.5" in cut]
    first, second = result.episodes
    assert first.start_ns + first.steps * 100_000_000 < START_NS + 1_200_000_000
    assert second.start_ns > START_NS + 1_690_000_000
    assert not first.success
    assert not first.terminated
    assert second.success


@pytest.mark.parametrize("jump_s", [-1.0, 3600.0])
def test_a_clock_jump_is_cut(jump_s: float, write_bag: WriteBag) -> None:
    """The robot's clock is set in the middle of a flight."""

    def change(messages: Messages) -> Messages:
        for name, time_ns, message in messages:
            if name != "/world/description" and time_ns > START_NS + 1_500_000_000:
                message.header.stamp.sec += round(jump_s)
        return messages

    result = convert(write_bag(change=change), ROBOT, replace(SETTINGS, sensors=()))
    assert len(result.cuts) >= 1
    assert ("clock went back" in result.cuts[0]) == (jump_s < 0)
    for episode in result.episodes:
        assert np.abs(np.diff(episode.position, axis=0)).max() < 0.11
        assert np.abs(episode.acceleration).max() < 1.1


def test_the_recorders_clock_jump_is_cut(write_bag: WriteBag) -> None:
    def change(messages: Messages) -> Messages:
        middle = START_NS + 1_500_000_000
        return [(n, t + 10**10 if t > middle else t, m) for n, t, m in messages]

    result = convert(write_bag(change=change), ROBOT, SETTINGS)
    assert any("clocks moved" in cut for cut in result.cuts)


def test_stale_scans_are_cut(write_bag: WriteBag) -> None:
    def change(messages: Messages) -> Messages:
        return [m for m in messages if m[0] != "/scan" or m[1] < START_NS + 1_000_000_000]

    result = convert(write_bag(change=change), ROBOT, SETTINGS)
    (episode,) = result.episodes
    assert 12 <= episode.steps <= 15
    assert any("age of the sensor 'scan'" in cut for cut in result.cuts)
    assert (
        len(convert(result.folder, ROBOT, replace(SETTINGS, sensors=())).episodes[0].position) > 25
    )


def test_every_goal_is_an_episode(write_bag: WriteBag) -> None:
    def change(messages: Messages) -> Messages:
        name, time_ns, goal = next(m for m in messages if m[0] == "/goal")
        later = type(goal)(kind=goal.kind, epoch=2, names=["x"], values=[1.0], header=goal.header)
        return sorted([*messages, (name, time_ns + 1_500_000_000, later)], key=lambda m: m[1])

    first, second = convert(write_bag(change=change), ROBOT, SETTINGS).episodes
    assert (first.success, second.success) == (False, True)
    # What a goal leaves open stays as it was when the goal came.
    assert second.observations["goal"][0, 0] == 1.0
    assert second.observations["goal"][0, 1] == pytest.approx(0.75, abs=0.01)


def test_a_goal_from_before_the_states_is_not_guessed(write_bag: WriteBag) -> None:
    """It leaves the heading open, and nobody knows what the planner took for it."""

    def change(messages: Messages) -> Messages:
        goal = next(m for m in messages if m[0] == "/goal")
        return [(goal[0], START_NS, goal[2]), *(m for m in messages if m[0] != "/goal")]

    assert convert(write_bag(change=change), ROBOT, SETTINGS).episodes == []


def test_a_bag_of_another_robot(write_bag: WriteBag) -> None:
    with pytest.raises(BagContentError, match="so100") as caught:
        convert(write_bag(), load_robot("so100"), SETTINGS)
    assert caught.value.code == 913
    with pytest.raises(BagContentError, match="/other/state"):
        convert(write_bag("b"), ROBOT, replace(SETTINGS, namespace="/other"))


def test_no_message_crashes_or_hangs(write_bag: WriteBag) -> None:
    """Intact files whose messages are spoiled: converted, or refused with an error of a bag."""
    rng = np.random.default_rng(2)

    def spoil(data: bytes) -> bytes:
        if rng.random() > 0.05:
            return data
        spoiled = bytearray(data)
        for _ in range(rng.integers(1, 9)):
            spoiled[int(rng.integers(4, len(spoiled)))] = int(rng.integers(256))
        return bytes(spoiled)

    settings = replace(SETTINGS, shortest_s=0.1)
    refused = converted = 0
    for i in range(40):
        bag = write_bag(f"bag_{i}", seconds=0.3, spoil=spoil)
        try:
            convert(bag, ROBOT, settings)
            converted += 1
        except BagError:
            refused += 1
    assert refused > 5
    assert converted > 5


@pytest.mark.slow
def test_the_speed_of_a_conversion(write_bag: WriteBag) -> None:
    """The bar: 50 x real time, of this process's own time."""
    bag = write_bag(seconds=60.0)
    began_s = time.process_time()
    result = convert(bag, ROBOT, SETTINGS)
    factor = result.duration_s / (time.process_time() - began_s)
    print(f"{factor:.0f} x real time")
    assert result.episodes[0].steps > 590
    assert factor > 50.0


def test_the_command(
    write_bag: WriteBag, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"flight_{i}" for i in range(7)]
    for name in names:
        write_bag(
            f"bags/{name}", seconds=1.0, outcome="failure" if name == "flight_3" else "success"
        )
    (tmp_path / "bags" / "torn").mkdir()
    (tmp_path / "bags" / "torn" / "metadata.yaml").write_text("{}")
    out = tmp_path / "set"
    command = ["dataset", str(tmp_path / "bags"), "--robot", "crazyflie", "--out", str(out)]
    command += ["--quiet", "--validation-share", "0.3", "--reward", "sparse"]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "7 episodes" in shown
    assert "torn is left out: [E911]" in shown
    dataset = load(out)
    splits = {e.attributes["recording"]: e.attributes["split"] for e in dataset.episodes}
    assert splits == {name: split_of(name, 0.3) for name in names}
    assert set(splits.values()) == {"train", "validation"}
    returns = {e.attributes["recording"]: e.arrays["rewards"].sum() for e in dataset.episodes}
    assert returns == {name: float(name != "flight_3") for name in names}
    assert dataset.provenance["settings"]["dt_s"] == 0.1
    assert recordings_of(dataset)[0].world == "name: nowhere"
    assert (out / "quality_report.png").stat().st_size > 20_000

    # What was converted is not converted again; a new bag joins.
    sha256 = shown.split("sha256 ")[1].split()[0]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "7 of 7 bags were converted before" in shown
    assert sha256 in shown
    # A part that was spoiled is made anew.
    part = next((out / "parts").glob("flight_2-*/main_data.hdf5"))
    part.write_bytes(part.read_bytes()[:1000])
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "6 of 7 bags were converted before" in shown
    assert sha256 in shown
    write_bag("bags/flight_99", seconds=1.0)
    assert main(command) == 0
    assert "7 of 8 bags were converted before" in capsys.readouterr().out

    # Rewards are computed anew without the bags.
    assert main(["relabel", str(out), "--reward", "time", "--clearance-m", "10"]) == 0
    relabelled = load(out)
    assert relabelled.episodes[0].arrays["rewards"].tolist() == [-1.0] * 7 + [0.0]
    assert (relabelled.episodes[0].arrays["infos/costs"] == 1.0).all()


def test_the_layout_is_minaris(write_bag: WriteBag, tmp_path: Path) -> None:
    out = tmp_path / "set"
    assert (
        main(["dataset", str(write_bag()), "--robot", "crazyflie", "--out", str(out), "--quiet"])
        == 0
    )
    with h5py.File(out / "main_data.hdf5") as file:
        assert file.attrs["total_episodes"] == 1
        assert file.attrs["total_steps"] == 28
        group = file["episode_0"]
        assert group.attrs["id"] == 0
        assert group.attrs["total_steps"] == 28
        assert group["observations/position"].shape == (29, 4)
        assert group["actions"].shape == (28, 4)
        assert group["rewards"].shape == (28,)
        assert group["terminations"][:].tolist() == [False] * 27 + [True]
        assert not group["truncations"][:].any()
        spaces = json.loads(file.attrs["observation_space"])["subspaces"]
        assert set(spaces) == {"position", "velocity", "goal", "scan"}


def test_nothing_to_convert(write_bag: WriteBag, tmp_path: Path) -> None:
    bag, out = write_bag(seconds=0.4), tmp_path / "set"
    command = ["dataset", str(bag), "--robot", "crazyflie", "--out", str(out), "--quiet"]
    assert main(command) == 1
    assert not (out / "main_data.hdf5").exists()
    assert main(["dataset", str(tmp_path / "none"), *command[2:]]) == 1
    assert main(["repair", str(tmp_path / "none")]) == 1


def test_errors_of_data_sets_have_their_code(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no bag at") as caught:
        find_bags([tmp_path])
    assert caught.value.code == 920


def test_blind_scans_are_no_scans(write_bag: WriteBag) -> None:
    """The live planner refuses them, too."""

    def blinded(messages: Messages) -> Messages:
        scans = [message for topic, _, message in messages if topic == "/scan"]
        for scan in scans[70:75]:
            scan.ranges = [float("nan")] * 48
        return messages

    (episode,) = convert(write_bag(change=blinded), ROBOT, SETTINGS).episodes
    assert episode.steps > 20
    assert np.isfinite(episode.observations["scan"]).all()
