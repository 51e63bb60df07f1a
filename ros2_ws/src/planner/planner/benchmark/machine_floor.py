"""How well this machine keeps a period at all: a program that does nothing but wake up.

Control periods that a loop with the highest priority and without any work misses as well were taken
by the machine (a hypervisor, an interrupt), not by the control loop.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from planner_core.clock import SystemClock
from planner_core.pacing import Pacer

PERIOD_S = 0.01
"""That of the control loop."""
PRIORITY = 60
"""Above that of the control loop, among real-time threads."""


def watch(pacer: Pacer, clock: SystemClock, until_ns: int) -> None:
    """Wake up once a period until a steady time [ns]."""
    while (now_ns := clock.steady_ns()) < until_ns:
        time.sleep(max(0.0, (pacer.due_ns - now_ns) * 1e-9))
        steady_ns = clock.steady_ns()
        if steady_ns >= pacer.due_ns:
            pacer.begin(steady_ns)


def figures(pacer: Pacer) -> dict[str, float]:
    """What the loop saw, in the terms of the control loop's own report."""
    return {
        "periods": pacer.periods,
        "missed_periods": pacer.missed,
        "missed_share": pacer.missed / max(pacer.periods, 1),
        "period_error_p99_ms": round(pacer.error.percentile(99) * 1e3, 3),
        "longest_gap_ms": round(pacer.max_gap_s * 1e3, 1),
    }


@contextmanager
def machine_floor(seconds: float) -> Iterator[dict[str, float]]:
    """Measure while the body runs, which has to take at least so long.

    Args:
        seconds: Length of the measurement [s].

    Yields:
        The figures; empty until the body has ended.
    """
    found: dict[str, float] = {}
    loop = subprocess.Popen([sys.executable, "-m", __name__, str(seconds)], stdout=subprocess.PIPE)
    try:
        yield found
        output, _ = loop.communicate(timeout=seconds + 10.0)
        found |= json.loads(output)
    finally:
        loop.kill()
        loop.wait()


def main() -> None:
    """Entry of the measuring process; its argument is the number of seconds."""
    # An ordinary user's control loop is granted none either: the comparison stays fair.
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    clock = SystemClock()
    began_ns = clock.steady_ns()
    pacer = Pacer(PERIOD_S, began_ns + round(PERIOD_S * 1e9))
    watch(pacer, clock, began_ns + round(float(sys.argv[1]) * 1e9))
    print(json.dumps(figures(pacer)))


if __name__ == "__main__":
    main()
