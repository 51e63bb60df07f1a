"""One job of a benchmark in a process of its own: `executors` starts it and writes it the job."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TextIO

from trajectory_learning.benchmarks.executors import Job, run_job
from trajectory_learning.benchmarks.interface import Trial


def main(source: TextIO = sys.stdin) -> None:
    """Run the job that a JSON object describes."""
    asked = json.load(source)
    files = tuple(Path(file) for file in asked["files"])
    run_job(asked["problem"], Job(tuple(asked["methods"]), Trial(**asked["trial"]), files))


if __name__ == "__main__":
    main()
