"""Readers that fail at their second input, each in a way of its own, to be found by the runner."""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import fuzz_runner
import numpy as np
from fuzz_runner import Reader
from planner_core.errors import WorldError

fuzz_runner.LIMIT_S, fuzz_runner.SILENT_S, fuzz_runner.LIMIT_MB = 0.5, 6.0, 200.0


def refuse() -> None:
    raise WorldError("not a world")


def raise_another() -> None:
    raise ValueError("something\nelse")


def spin() -> None:
    while True:
        pass


def eat() -> None:
    eaten = []
    while True:
        eaten.append(np.ones(1_000_000))


def gorge() -> None:
    np.ones(50_000_000)


def linger() -> None:
    began = time.process_time()
    while time.process_time() < began + 0.6:
        pass


def second(act: Callable[[], object]) -> Reader:
    """Acts at the second input of its process only."""
    calls = itertools.count(1)

    def reader(_: np.random.Generator) -> None:
        if next(calls) == 2:
            act()

    return reader


def readers(_: Path) -> dict[str, Reader]:
    """By what they do."""
    acts = (refuse, raise_another, os.abort, spin, eat, gorge, linger)
    return {act.__name__: second(act) for act in acts} | {
        "leave": second(lambda: os._exit(0)),
        "sleep": second(lambda: time.sleep(60)),
        "exit": second(lambda: sys.exit(0)),
    }


if __name__ == "__main__":
    sys.exit(fuzz_runner.main(readers, __doc__))
