"""At 500 samples a second, none gets lost on the way through the bridge."""

from __future__ import annotations

import pytest

pytest.importorskip("cyclonedds")

from measure_reception import measure


@pytest.mark.slow
def test_samples_arrive() -> None:
    counts = measure(2500)
    print(counts)
    assert counts["received"] > 2500
    assert counts["bad_crc"] == counts["malformed"] == 0
    # None is lost on an idle machine; a process that gets no time for a second loses some.
    assert counts["lost"] < 0.02 * counts["received"]
