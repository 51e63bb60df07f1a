"""Pieces of work side by side, and what becomes of the others when one fails."""

from __future__ import annotations

import math
import operator
import os
import signal
from collections.abc import Callable

import pytest
import torch
from planner_core.errors import DriftpilotError
from trajectory_learning.parallel import each


def nothing(*_: object) -> None:
    """Keeps nothing."""


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_are_kept_as_they_come_and_returned_in_the_order_of_the_pieces(jobs: int) -> None:
    kept: dict[float, float] = {}
    assert each(math.sqrt, [9.0, 1.0, 4.0], kept.__setitem__, jobs) == [3.0, 1.0, 2.0]
    assert kept == {9.0: 3.0, 1.0: 1.0, 4.0: 2.0}
    assert each(math.sqrt, [], kept.__setitem__, jobs) == []


@pytest.mark.parametrize(("fresh", "processes"), [(True, 3), (False, 1)])
def test_a_process_goes_on_with_the_next_piece_unless_each_shall_be_fresh(
    fresh: bool, processes: int
) -> None:
    started = set(each(operator.call, [os.getpid] * 3, nothing, jobs=2, fresh=fresh))
    assert processes <= len(started) <= processes + (not fresh)
    assert os.getpid() not in started


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_piece_runs_on_one_thread(jobs: int) -> None:
    torch.set_num_threads(2)
    pieces: list[Callable[[], int]] = [torch.get_num_threads] * 2
    assert each(operator.call, pieces, nothing, jobs) == [1, 1]


def test_what_runs_beside_a_failure_is_kept_and_nothing_more_is_begun(
    capfd: pytest.CaptureFixture[str],
) -> None:
    kept: dict[float, float] = {}
    with pytest.raises(DriftpilotError, match=r"-1\.0: exit code 1"):
        each(math.sqrt, [-1.0, 4.0], kept.__setitem__, jobs=2)
    assert kept == {4.0: 2.0}
    with pytest.raises(DriftpilotError):
        each(math.sqrt, [-1.0, -2.0, 9.0], kept.__setitem__, jobs=2)
    assert kept == {4.0: 2.0}
    assert "math domain error" in capfd.readouterr().err


def test_a_process_that_is_killed_is_a_failure_of_its_piece_alone() -> None:
    kept: dict[signal.Signals, None] = {}
    pieces = [signal.SIGKILL, signal.SIGWINCH]
    with pytest.raises(DriftpilotError, match="exit code -9"):
        each(signal.raise_signal, pieces, kept.__setitem__, jobs=2)
    assert kept == {signal.SIGWINCH: None}


def test_an_interrupt_ends_it_when_what_runs_has_ended() -> None:
    kept = []

    def interrupted(piece: float, result: float) -> None:
        kept.append(piece)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        each(math.sqrt, [1.0] * 8, interrupted, jobs=2)
    assert len(kept) == 2
