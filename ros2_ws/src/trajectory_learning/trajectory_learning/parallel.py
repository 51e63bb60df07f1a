"""Independent pieces of work side by side: in processes of this machine, or on a Ray cluster.

This module is also what runs in such a process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, nullcontext
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from threading import Lock
from typing import Any, TypeVar

import torch
from planner_core.errors import ConfigurationError, DriftpilotError

Piece = TypeVar("Piece")
Result = TypeVar("Result")
Call = Callable[[Callable[[Piece], Result], Piece], Result]
"""Calls a function with a piece somewhere, and waits for its result."""


def each(
    function: Callable[[Piece], Result],
    pieces: Sequence[Piece],
    keep: Callable[[Piece, Result], object],
    jobs: int = 1,
    ray: str = "",
    fresh: bool = False,
) -> list[Result]:
    """Results of a function, in the order of the pieces.

    After an error no other piece is begun; those that run come to their end, and are kept. Ctrl-C,
    which reaches all processes of a terminal, ends them where they are. A process whose parent was
    killed ends after its piece, whose result nobody keeps.

    Args:
        function: Importable by other processes, with all that it is given; runs on one thread.
        pieces: What it is called with.
        keep: Called with a piece and its result as soon as it is there, one at a time.
        jobs: Processes of this machine; 1 works in this one.
        ray: Address of a Ray cluster to use instead, see `cluster`.
        fresh: A process of this machine for each piece, so that its memory is free afterwards; with
            one job, or on a cluster, it makes no difference.

    Raises:
        DriftpilotError: A piece failed elsewhere; in this process its own error is raised.
        ConfigurationError: See `cluster`.
    """
    results: dict[int, Result] = {}
    # Threads share it: none begins what another has begun.
    left, one_at_a_time = iter(range(len(pieces))), Lock()
    place: Callable[[], Any] = _process
    if ray:
        call, jobs = cluster(ray)
        place = partial(nullcontext, call)
    elif jobs == 1:
        place = partial(nullcontext, on_one_thread)

    def work() -> None:
        for share in ([index] for index in left) if fresh else (left,):
            with place() as call:
                for index in share:
                    result = call(function, pieces[index])
                    with one_at_a_time:
                        results[index] = result
                        keep(pieces[index], result)

    if jobs == 1:
        work()
    else:
        with ThreadPoolExecutor(jobs) as pool:
            try:
                for ended in as_completed([pool.submit(work) for _ in pieces[:jobs]]):
                    ended.result()
            finally:
                list(left)  # Nothing else is begun.
    return [results[index] for index in range(len(pieces))]


def cluster(address: str) -> tuple[Call[Any, Any], int]:
    """A Ray cluster, whose machines need the same environment as this one.

    Args:
        address: What ``ray.init`` takes: ``auto``, ``host:6379`` on a machine of the cluster, or
            ``ray://host:10001`` from elsewhere.

    Returns:
        What calls a function on one processor core of it, and how many it has.

    Raises:
        ConfigurationError: Ray is not installed, or nothing answers there.
    """
    try:
        import ray
    except ImportError as error:
        raise ConfigurationError(
            "--ray needs Ray", got=error,
            remedy="pip install -r requirements/ray.txt, or leave the option out.",
        ) from error  # fmt: skip
    try:
        ray.init(address, log_to_driver=True, ignore_reinit_error=True)
    except ConnectionError as error:
        raise ConfigurationError(f"no Ray cluster at {address}", got=error) from error
    task = ray.remote(num_cpus=1)(on_one_thread)

    def call(function: Callable[[Any], Any], piece: Any) -> Any:
        try:
            return ray.get(task.remote(function, piece))
        except ray.exceptions.RayError as error:
            raise _failed(piece, error) from error

    return call, max(1, int(ray.cluster_resources().get("CPU", 1)))


def on_one_thread(function: Callable[[Piece], Result], piece: Piece) -> Result:
    """Call a function here; jobs side by side would be in one another's way with more threads."""
    torch.set_num_threads(1)
    return function(piece)


@contextmanager
def _process() -> Iterator[Call[Any, Any]]:
    """A process of this machine, which ends with this block, or with the process that began it."""
    here, there = Pipe()
    command = [sys.executable, "-m", "trajectory_learning.parallel", str(there.fileno())]
    # Bars of several processes would overwrite one another.
    environment = {**os.environ, "TQDM_DISABLE": "1"}
    with subprocess.Popen(command, env=environment, pass_fds=[there.fileno()]) as process, here:
        there.close()

        def call(function: Callable[[Any], Any], piece: Any) -> Any:
            try:
                here.send((function, piece))
                return here.recv()
            except (EOFError, OSError):
                raise _failed(piece, f"exit code {process.wait()}") from None

        yield call


def _failed(piece: object, why: object) -> DriftpilotError:
    return DriftpilotError(
        "a job failed", got=f"{piece}: {why}",
        remedy="Its error is printed above; finished rows of a benchmark are kept.",
    )  # fmt: skip


def _serve(channel: Connection) -> None:
    """What runs in a process: pieces, until nobody is left to send one."""
    # Ctrl-C reaches all processes of a terminal; the one that began them says so.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    while True:
        try:
            function, piece = channel.recv()
        except EOFError:
            return
        channel.send(on_one_thread(function, piece))


if __name__ == "__main__":
    _serve(Connection(int(sys.argv[1])))
