"""The page of a flight."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from matplotlib.text import Text
from planner_core.robots import load_robot
from robot_view.flight import Flight, FlightLog
from robot_view.page import CHOSEN, END_TO_END, LIMIT, OBSTACLE, draw_page, write_page
from synthetic_flight import EXPECTED, synthetic_flight


def share_of_colour(image: np.ndarray, colour: str, near: float = 0.02) -> float:
    distance = np.abs(image[:, :, :3] - np.array(to_rgb(colour))).max(axis=2)
    return float((distance < near).mean())


def texts(flight: Flight) -> list[str]:
    return [t.get_text() for t in draw_page(flight, None).findobj(Text)]


def test_page_shows_world_plan_limits_and_latency(tmp_path: Path) -> None:
    path = tmp_path / "new" / "page.png"
    write_page(synthetic_flight(), load_robot("crazyflie"), path)
    image = imread(path)
    assert image.shape == (1328, 1872, 4)
    assert share_of_colour(image, OBSTACLE) > 1e-3
    for colour in (CHOSEN, LIMIT, END_TO_END):
        assert share_of_colour(image, colour, 0.15) > 2e-4, colour
    empty = tmp_path / "empty.png"
    write_page(FlightLog().flight(), None, empty, dpi=80)
    assert share_of_colour(imread(empty), OBSTACLE) < 5e-4
    for colour in (CHOSEN, LIMIT, END_TO_END):
        assert share_of_colour(imread(empty), colour, 0.15) == 0.0, colour


def test_page_carries_the_figures() -> None:
    assert set(EXPECTED.values()) <= set(texts(synthetic_flight()))


def test_empty_flight_says_what_is_missing() -> None:
    found = texts(FlightLog().flight())
    assert found.count("no odometry") == 3
    assert found.count("no candidates") == 3
    assert "no plans and no commands" in found


@pytest.mark.parametrize(
    "topic",
    ["odometry", "plan", "plan/candidates", "command", "goal", "world/markers"],
)
def test_page_is_drawn_without_a_topic(topic: str, tmp_path: Path) -> None:
    path = tmp_path / "page.svg"
    write_page(synthetic_flight(without=(topic,)), load_robot("crazyflie"), path)
    assert path.stat().st_size > 10_000


def test_arm_has_no_limits_of_flight(tmp_path: Path) -> None:
    write_page(synthetic_flight(), load_robot("so100"), tmp_path / "page.png", dpi=80)
    assert share_of_colour(imread(tmp_path / "page.png"), LIMIT) == 0.0
