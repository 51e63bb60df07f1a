"""The tutorial "Train from bags", in small: its own commands, with less of everything."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from episode_recorder.bag_messages import read_bag
from episode_recorder.bag_metadata import load_metadata
from planner_core.bundle import load_bundle
from planner_core.dataset_file import load
from planner_core.world import random_world
from planner_interfaces.msg import PlannerStatus

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "tutorials" / "train_from_bags.md").read_text()
BLOCKS = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines()]
SETUP = COMMANDS[:2]
RECORD, INFO, DATASET, RELABEL, TRAIN, EXPORT, COMPARE, FLY, EXCHANGE = COMMANDS[2:]
# One flight of the robot without physics, which any machine can follow, in place of twenty.
SMALL = {
    "episodes:=20": "robot:=loopback world:=random",
    "--retimings 24": "--retimings 2",
    "--seconds 150": "--steps 60 --trunk-width 64 --branch-width 32 --trunk-blocks 1",
    "--worlds 200": "--worlds 2",
}


def in_small(command: str) -> str:
    """A command of the page that takes seconds."""
    for large, small in SMALL.items():
        command = command.replace(large, small)
    return command


def send_goal(place: np.ndarray) -> str:
    """The command that flies somewhere; ends with the flight."""
    goal = f"{{goal: {{names: [x, y, z], values: {place[:3].tolist()}}}}}"
    return f'ros2 action send_goal /navigate planner_interfaces/action/Navigate "{goal}"'


def test_the_page_has_the_commands_that_are_shortened() -> None:
    assert SETUP == ["python3 tools/setup_workspace.py --for test", "source ros2_ws/setup.bash"]
    for large in SMALL:
        assert large in PAGE, large
    names = "launch", "bag info", "dataset", "relabel", "train", "export", "evaluate", "launch"
    commands = RECORD, INFO, DATASET, RELABEL, TRAIN, EXPORT, COMPARE, FLY
    assert all(name in command for name, command in zip(names, commands, strict=True))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_loop_is_closed(
    ros_domain: int, tmp_path: Path, wait_until: Callable[..., None]
) -> None:
    """Flights, data set, training, export, and the new planner flies. No claim on how well."""
    (tmp_path / "models").symlink_to(REPOSITORY / "models")

    def shell(command: str, limit_s: float = 600.0) -> str:
        done = subprocess.run(
            ["bash", "-c", in_small(command)], cwd=tmp_path, env=os.environ, timeout=limit_s,
            text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert "Traceback" not in done.stdout, done.stdout
        # A mission in which a flight fails ends with 2, and says so through `ros2 launch`.
        assert done.returncode == 0 or "launch" in command, done.stdout
        return done.stdout

    for seed in (6000, 6001):
        shell(RECORD.replace("seed:=6000", f"seed:={seed}"))
    for number, name in enumerate(("episode_0000", "episode_0001")):
        custom = load_metadata(tmp_path / "flights" / name).custom
        assert custom["outcome"] in ("success", "failure")
        assert custom["world"] == f"random-{6000 + number}"
    assert (tmp_path / "before.json").is_file()
    assert "Storage id:        mcap" in shell(INFO)
    assert "quality report" in shell(DATASET)
    shell(RELABEL)
    assert load(tmp_path / "flights_set").provenance["labels"]["reward"] == "time"
    shell(TRAIN)
    shell(EXPORT)
    history = load_bundle(tmp_path / "recorded").manifest.provenance
    assert history.data_command.startswith("python -m episode_recorder dataset flights")
    assert "| after |" in shell(COMPARE)

    fly = "exec " + in_small(FLY) + " goal:=none"
    flying = subprocess.Popen(
        ["bash", "-c", fly], cwd=tmp_path, env=os.environ, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    room = random_world(6100)
    try:
        going = subprocess.Popen(["bash", "-c", send_goal(room.goal)], cwd=tmp_path)
        first = tmp_path / "more_flights" / "episode_0000" / "metadata.yaml"
        wait_until(first.is_file, "the first flight", 300.0)
        assert "successful" in shell(EXCHANGE)
        going.wait(timeout=300)
        # Back again: the whole way with the new planner, however it ends.
        back = ["bash", "-c", send_goal(room.start)]
        subprocess.run(back, cwd=tmp_path, timeout=300, check=False)
    finally:
        flying.send_signal(signal.SIGINT)
        flying.wait(timeout=60)
    bundle, plans = "", 0
    for flight in sorted((tmp_path / "more_flights").iterdir()):
        for message in read_bag(flight, ["/planner/status", "/plan"]).messages:
            if message.topic == "/plan":
                plans += bundle == "recorded"
            elif (status := message.decode()).state == PlannerStatus.PLANNING:
                bundle = status.bundle
    assert bundle == "recorded"
    assert plans > 10
