"""Opening a bag and describing it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from rosbags.rosbag2 import Reader, ReaderError

from ros2cli.errors import CommandError

_NS_PER_S = 10**9


@contextmanager
def open_bag(path: Path) -> Iterator[Reader]:
    """Open a bag for reading.

    Raises:
        CommandError: There is none at the path, or it is damaged.
    """
    if not path.exists():
        raise CommandError(f"Bag path '{path}' does not exist!")
    try:
        reader = Reader(path)
        reader.open()
    except (ReaderError, OSError, AssertionError) as error:
        raise CommandError(f"Cannot read the bag '{path}': {error}") from error
    try:
        yield reader
    finally:
        reader.close()


def describe(path: Path, reader: Reader) -> list[str]:
    """Return the lines that ``ros2 bag info`` prints.

    Args:
        path: Where the bag is.
        reader: The opened bag.
    """
    files = sorted(file for file in _files(path) if ".mcap" in file.name or ".db3" in file.name)
    size = sum(file.stat().st_size for file in files)
    start, end = (reader.start_time, reader.end_time) if reader.message_count else (0, 0)
    rows = [
        ("Files:", "  ".join(file.name for file in files)),
        ("Bag size:", _size_text(size)),
        ("Storage id:", "sqlite3" if files and ".db3" in files[0].name else "mcap"),
        ("ROS Distro:", reader.ros_distro or "unknown"),
        ("Duration:", f"{_seconds_text(end - start)}s"),
        ("Start:", _time_text(start)),
        ("End:", _time_text(end)),
        ("Messages:", str(reader.message_count)),
    ]
    for index, connection in enumerate(sorted(reader.connections, key=lambda each: each.topic)):
        rows.append(
            (
                "Topic information:" if index == 0 else "",
                f"Topic: {connection.topic} | Type: {connection.msgtype} | "
                f"Count: {connection.msgcount} | Serialization Format: cdr",
            )
        )
    return ["", *(f"{title:<18} {text}" for title, text in rows)]


def _files(path: Path) -> list[Path]:
    return list(path.iterdir()) if path.is_dir() else [path]


def _size_text(size: int) -> str:
    amount = float(size)
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024.0:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024.0
    return f"{amount:.1f} GiB"


def _seconds_text(time_ns: int) -> str:
    seconds, rest = divmod(time_ns, _NS_PER_S)
    return f"{seconds}.{rest:09d}"


def _time_text(time_ns: int) -> str:
    moment = datetime.fromtimestamp(time_ns // _NS_PER_S)
    return f"{moment:%b %e %Y %H:%M:%S}.{time_ns % _NS_PER_S:09d} ({_seconds_text(time_ns)})"
