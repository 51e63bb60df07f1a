"""Independent pieces of work side by side: in processes of this machine, or on a Ray cluster."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from types import ModuleType
from typing import TypeVar

from planner_core.errors import ConfigurationError

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def connect(address: str) -> ModuleType:
    """Ray, connected to a cluster.

    Args:
        address: What ``ray.init`` takes: ``auto``, ``host:6379`` on a machine of the cluster, or
            ``ray://host:10001`` from elsewhere.

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
    return ray


def each(
    function: Callable[[Piece], Result], pieces: Sequence[Piece], jobs: int = 1, ray: str = ""
) -> Iterator[Result]:
    """Results of a function, in the order of the pieces, each as soon as those before it are there.

    Args:
        function: Importable by other processes, with all that it is given.
        pieces: What it is called with.
        jobs: Processes of this machine; 1 works in this one.
        ray: Address of a Ray cluster to use instead, see `connect`.
    """
    if ray:
        cluster = connect(ray)
        remote = cluster.remote(num_cpus=1)(_called)
        yield from map(cluster.get, [remote.remote(function, piece) for piece in pieces])
    elif jobs == 1:
        yield from map(function, pieces)
    else:
        # Spawned: a fork of a process with threads may hang.
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(jobs, mp_context=spawn) as pool:
            yield from pool.map(function, pieces)


def _called(function: Callable[[Piece], Result], piece: Piece) -> Result:
    """What Ray runs, which takes no `functools.partial`."""
    return function(piece)
