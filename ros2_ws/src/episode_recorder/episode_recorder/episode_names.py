"""Names of episodes: of folders, and of nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from episode_recorder.errors import EpisodeNameError

_NAME = re.compile(r"[A-Za-z0-9][\w.\-]{0,99}")


def valid_name(name: str) -> str:
    """A name, if it can name a folder below the recorder's and none elsewhere.

    Raises:
        EpisodeNameError: It cannot.
    """
    if not _NAME.fullmatch(name, 0) or ".." in name:
        raise EpisodeNameError(
            "episode name", got=repr(name), expected="letters, digits, and _ . - between them"
        )
    return name


def next_name(folder: Path, prefix: str) -> str:
    """The name of the next numbered episode.

    Args:
        folder: Of the episodes.
        prefix: Beginning of the name.

    Raises:
        EpisodeNameError: The prefix cannot begin a folder's name.
    """
    pattern = re.compile(re.escape(valid_name(prefix)) + r"_(\d+)")
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    numbers = [int(match[1]) for name in names if (match := pattern.fullmatch(name))]
    return f"{prefix}_{max(numbers, default=-1) + 1:04d}"
