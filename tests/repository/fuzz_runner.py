"""Feeds readers with malformed inputs by the ten thousand, and tells what became of them.

Inputs run in shares, each in a process of its own, so that a crash or a hang is seen, and what
libraries keep of refused inputs does not add up.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import signal
import sys
import time
import traceback
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import numpy as np
import psutil
from planner_core.errors import DriftpilotError
from tqdm import tqdm

LIMIT_S = 30.0
"""Processor time of one input; by the clock, a loaded machine would look like a hang."""
SILENT_S = 600.0
"""By the clock: whoever waits for something that never comes spends no processor time."""
LIMIT_MB = 1024.0
"""What one input may add to the memory of its process."""
LEGIBLE = 2000
"""Characters of an error; it has one line."""
TOO_LONG, TOO_MUCH = "takes too long", "needs too much memory"
SHARE = 2000
"""Inputs to a process, over all readers."""
Reader = Callable[[np.random.Generator], None]
"""Makes an input and reads it."""
Readers = Callable[[Path], dict[str, Reader]]
"""Readers by name, from an empty folder; a process of its own can import it."""


class Outcome(StrEnum):
    """What became of an input."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    FINDING = "finding"


@dataclass(frozen=True, slots=True)
class Input:
    """One of a reader's; the same ever again."""

    reader: str
    index: int

    def rng(self, seed: int) -> np.random.Generator:
        """What it is made from."""
        return np.random.default_rng((seed, zlib.crc32(self.reader.encode()), self.index))


@dataclass(frozen=True, slots=True)
class Result:
    """Of one input.

    Attributes:
        outcome: What became of it.
        defect: What was found, in the same words each time.
        detail: Further words on it.
        used_s: Processor time [s].
        needed_mb: Memory that it needed, if its process never had so much before [MB].
        kept_mb: Memory that it left behind [MB].
        resident_mb: Memory of its process afterwards [MB].
        peak_mb: The most that its process has had [MB].
    """

    outcome: Outcome
    defect: str = ""
    detail: str = ""
    used_s: float = 0.0
    needed_mb: float = 0.0
    kept_mb: float = 0.0
    resident_mb: float = 0.0
    peak_mb: float = 0.0


def resident_mb() -> float:
    """Memory of this process."""
    return float(psutil.Process().memory_info().rss) / 1e6


def peak_mb() -> float:
    """The most that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def read(reader: Reader, rng: np.random.Generator) -> Result:
    """Feed a reader, in this process."""
    outcome, defect, detail = Outcome.ACCEPTED, "", ""
    before_mb, peak_before_mb, began = resident_mb(), peak_mb(), time.process_time()
    try:
        reader(rng)
    except DriftpilotError as error:
        outcome, message = Outcome.REFUSED, str(error)
        if "\n" in message or len(message) > LEGIBLE:
            outcome, defect, detail = Outcome.FINDING, "an unclear error", message[:200]
    except BaseException as error:
        outcome = Outcome.FINDING
        last = traceback.extract_tb(error.__traceback__)[-1]
        defect = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
        detail = str(error).splitlines()[0][:200] if str(error) else ""
    used_s, after_mb, peak = time.process_time() - began, resident_mb(), peak_mb()
    needed_mb = peak - before_mb if peak > peak_before_mb else 0.0
    if needed_mb > LIMIT_MB:
        outcome, defect, detail = Outcome.FINDING, TOO_MUCH, f"{needed_mb:.0f} MB"
    elif used_s > LIMIT_S:
        outcome, defect, detail = Outcome.FINDING, TOO_LONG, f"{used_s:.0f} s"
    kept_mb = after_mb - before_mb
    return Result(outcome, defect, detail, used_s, needed_mb, kept_mb, after_mb, peak)


def read_all(
    results: Connection, make: Readers, folder: Path, seed: int, inputs: list[Input]
) -> None:
    """Feed readers, and tell of each input; the first message says that they are set up."""
    by_name = make(folder)
    results.send(Result(Outcome.ACCEPTED, resident_mb=resident_mb()))
    for item in inputs:
        results.send(read(by_name[item.reader], item.rng(seed)))


class Share:
    """A process that reads inputs one after the other, and is watched while it does.

    Args:
        make: Makes the readers.
        seed: Of the inputs.
        inputs: In order.

    Raises:
        RuntimeError: The readers cannot be set up.
    """

    def __init__(self, make: Readers, seed: int, inputs: list[Input]) -> None:
        self._folder = TemporaryDirectory(prefix="fuzzing_")
        context = multiprocessing.get_context("spawn")
        self._results, other = context.Pipe(duplex=False)
        arguments = (other, make, Path(self._folder.name), seed, inputs)
        self._process = context.Process(target=read_all, args=arguments, daemon=True)
        self._process.start()
        other.close()
        self.ended = False
        try:
            self._last: Result = self._results.recv()
        except EOFError:
            self.close()
            raise RuntimeError("the readers cannot be set up") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process, and remove what it wrote."""
        self._process.kill()
        self._process.join()
        self._folder.cleanup()

    def next(self) -> Result:
        """The result of the next input."""
        if killed := self._watch():
            self.ended = True
            return killed
        try:
            self._last = self._results.recv()
        except EOFError:
            self.ended = True
            self._process.join()
            return Result(Outcome.FINDING, f"ends its process: {self._exit()}")
        return self._last

    def _watch(self) -> Result | None:
        """Until there is a result or the process has ended; what it was killed for, if it was."""
        began, used_before_s = time.monotonic(), None
        while not self._results.poll(0.1):
            try:
                process = psutil.Process(self._process.pid)
                times, memory = process.cpu_times(), process.memory_info()
            except psutil.Error:
                continue  # It has ended since: the next poll says so.
            total_s = times.user + times.system
            used_before_s = total_s if used_before_s is None else used_before_s
            used_s, now_mb = total_s - used_before_s, memory.rss / 1e6
            needed_mb = now_mb - self._last.resident_mb
            for defect, exceeded in (
                (TOO_MUCH, needed_mb > LIMIT_MB),
                (TOO_LONG, used_s > LIMIT_S),
                ("waits for ever", time.monotonic() > began + SILENT_S),
            ):
                if exceeded:
                    self._process.kill()
                    return Result(
                        Outcome.FINDING, defect, "killed", used_s, needed_mb, peak_mb=now_mb
                    )
        return None

    def _exit(self) -> str:
        code = self._process.exitcode or 0
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def run(make: Readers, seed: int, inputs: list[Input]) -> Iterator[tuple[Input, Result]]:
    """Of one share; what an input that ended the process has left goes on in another."""
    left = deque(inputs)
    while left:
        with Share(make, seed, list(left)) as share:
            while left and not share.ended:
                yield left.popleft(), share.next()


@dataclass(slots=True)
class Tally:
    """Of one reader's inputs."""

    inputs: int = 0
    refused: int = 0
    accepted: int = 0
    findings: int = 0
    slowest_s: float = 0.0
    most_mb: float = 0.0
    """That one of them needed."""
    kept_mb: float = 0.0
    """That all of them left behind in their processes."""

    def add(self, result: Result) -> None:
        """Count one."""
        self.inputs += 1
        self.refused += result.outcome is Outcome.REFUSED
        self.accepted += result.outcome is Outcome.ACCEPTED
        self.findings += result.outcome is Outcome.FINDING
        self.slowest_s = max(self.slowest_s, result.used_s)
        self.most_mb = max(self.most_mb, result.needed_mb)
        self.kept_mb += result.kept_mb


def table(tallies: dict[str, Tally]) -> str:
    """One line to a reader."""
    wide = max(map(len, tallies))
    titles = ("inputs", "refused", "accepted", "findings", "slowest [s]", "most [MB]", "kept [MB]")
    lines = [f"{'reader':{wide}}  " + "  ".join(titles)]
    for name, tally in tallies.items():
        figures = zip(titles, asdict(tally).values(), strict=True)
        cells = [f"{v:{len(t)}.2f}" if "[" in t else f"{v:{len(t)}}" for t, v in figures]
        lines.append(f"{name:{wide}}  " + "  ".join(cells))
    return "\n".join(lines)


def fuzz(make: Readers, count: int, seed: int) -> tuple[dict[str, Tally], float]:
    """Feed all readers; what became of the inputs, and the most memory of a process [MB].

    The first of each kind of finding is printed, with the command that repeats it.
    """
    with TemporaryDirectory() as folder:
        tallies = {name: Tally() for name in make(Path(folder))}
    each, most_mb = -(-count // len(tallies)), 0.0
    step = max(1, SHARE // len(tallies))
    seen: set[tuple[str, str]] = set()
    # In a log each step is a line.
    pause_s = 0.1 if sys.stderr.isatty() else 60.0
    with tqdm(total=each * len(tallies), unit="input", mininterval=pause_s) as bar:
        for first in range(0, each, step):
            indices = range(first, min(first + step, each))
            inputs = [Input(name, index) for name in tallies for index in indices]
            for item, result in run(make, seed, inputs):
                tallies[item.reader].add(result)
                most_mb = max(most_mb, result.peak_mb)
                bar.update()
                if result.outcome is Outcome.FINDING and (item.reader, result.defect) not in seen:
                    seen.add((item.reader, result.defect))
                    tqdm.write(
                        f"{item.reader}: {result.defect} {result.detail}\n"
                        f"  --seed {seed} --repeat '{item.reader}' {first} {item.index}",
                        file=sys.stderr,
                    )
    return tallies, most_mb


def repeat(make: Readers, reader: str, indices: range, seed: int) -> None:
    """Feed a reader in this process, so that a finding comes with its traceback."""
    with TemporaryDirectory() as folder:
        read_one = make(Path(folder))[reader]
        for index in indices:
            try:
                read_one(Input(reader, index).rng(seed))
            except DriftpilotError as error:
                print(f"{index}: {error}")


def main(make: Readers, description: str | None) -> int:
    """Command line; the exit code, 1 if there are findings."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=1200, help="over all readers (1200)")
    parser.add_argument("--seed", type=int, default=0, help="of the inputs (0)")
    parser.add_argument("--json", type=Path, help="file for the table's figures")
    parser.add_argument(
        "--repeat", nargs=3, metavar=("READER", "FIRST", "LAST"),
        help="only these inputs, one after the other, in this process: readers remember",
    )  # fmt: skip
    options = parser.parse_args()
    if options.repeat:
        reader, first, last = options.repeat
        repeat(make, reader, range(int(first), int(last) + 1), options.seed)
        return 0
    tallies, most_mb = fuzz(make, options.inputs, options.seed)
    print(table(tallies))
    findings = sum(tally.findings for tally in tallies.values())
    print(f"{findings} findings; the largest process had {most_mb:.0f} MB")
    if options.json:
        options.json.write_text(json.dumps({n: asdict(t) for n, t in tallies.items()}, indent=2))
    return 1 if findings else 0
