from __future__ import annotations

import numpy as np
import pytest
from planner_core.pacing import Pacer

MS = 1_000_000


def test_a_steady_loop_misses_nothing() -> None:
    pacer = Pacer(0.01, 0)
    for i in range(100):
        assert pacer.due_ns == i * 10 * MS
        pacer.begin(pacer.due_ns)
    assert (pacer.periods, pacer.missed) == (100, 0)
    assert pacer.error.percentile(100) == 0.0
    assert pacer.max_gap_s == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("late_ms", "missed", "due_ms"), [(4, 0, 20), (5, 0, 20), (6, 1, 20), (14, 1, 30), (37, 4, 50)]
)
def test_late_periods_are_counted_and_not_caught_up(late_ms: int, missed: int, due_ms: int) -> None:
    pacer = Pacer(0.01, 0)
    pacer.begin(0)
    pacer.begin((10 + late_ms) * MS)
    assert pacer.missed == missed
    assert pacer.due_ns == due_ms * MS
    assert pacer.max_gap_s == pytest.approx(0.010 + late_ms * 1e-3)
    pacer.begin(pacer.due_ns)
    # Each deadline counts once, whether its period came late or not at all.
    assert pacer.periods == due_ms // 10 + 1


def test_lateness_does_not_accumulate() -> None:
    pacer, rng = Pacer(0.01, 0), np.random.default_rng(0)
    for _ in range(1000):
        pacer.begin(pacer.due_ns + int(rng.integers(0, 2 * MS)))
    assert pacer.due_ns == 10_000 * MS
    assert pacer.missed == 0
    assert pacer.error.percentile(100) < 0.002


def test_a_pause_is_no_gap() -> None:
    pacer = Pacer(0.01, 0)
    pacer.begin(0)
    pacer.pause()
    pacer.begin(10 * MS)
    assert pacer.max_gap_s == 0.0
    assert len(pacer.error) == 0
