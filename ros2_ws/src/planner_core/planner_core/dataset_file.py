"""Data sets of episodes as HDF5 in Minari's layout, which ``minari`` itself opens.

A data set is a folder of two files. ``main_data.hdf5`` has a group for each episode and everything
else that is known of the data set; ``metadata.json`` repeats for Minari what it asks for.

Letters: ``T`` steps of an episode, which has ``T + 1`` observations.

Source: Minari 0.5, "Dataset Standards", https://minari.farama.org/content/dataset_standards/.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from planner_core.errors import DatasetFileError

FORMAT_VERSION: Final = 2
MINARI_VERSION: Final = "0.5.3"
"""Whose layout this is."""
DATA_NAME: Final = "main_data.hdf5"
METADATA_NAME: Final = "metadata.json"
TRAIN: Final = "train"
VALIDATION: Final = "validation"
_STEPS: Final = ("rewards", "terminations", "truncations")

AnyArray = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class StoredEpisode:
    """An episode as it is kept.

    Attributes:
        arrays: By path: ``observations`` or ``observations/NAME`` (T + 1, ...), ``actions`` or
            ``actions/NAME`` (T, ...), ``rewards``, ``terminations``, ``truncations`` (T,), and
            whatever else below ``infos/``.
        attributes: Numbers, truth values and texts about it.
    """

    arrays: Mapping[str, AnyArray]
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """``T``."""
        return len(self.arrays["rewards"])


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A data set in memory.

    Attributes:
        name: What it is called, as ``driftpilot/crazyflie-v0``.
        episodes: In the order of the file; all with arrays of the same names and widths.
        provenance: How it was made: whatever JSON holds.
        tables: Arrays that belong to no episode, by path.
    """

    name: str
    episodes: Sequence[StoredEpisode]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, AnyArray] = field(default_factory=dict)

    @property
    def total_steps(self) -> int:
        """Steps of all episodes."""
        return sum(episode.steps for episode in self.episodes)


def split_of(name: str, validation_share: float) -> str:
    """Whether what has this name is for training or validation.

    By the hash of its name: it stays where it is when others are added, and the pieces of one
    recording never lie on both sides.
    """
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64
    return VALIDATION if number < validation_share else TRAIN


def content_hash(episodes: Iterable[StoredEpisode]) -> str:
    """SHA-256 over the names and numbers of all arrays, and over which episode they belong to."""
    digest = hashlib.sha256()
    for index, episode in enumerate(episodes):
        for name in sorted(episode.arrays):
            digest.update(f"{index}/{name}".encode())
            digest.update(np.ascontiguousarray(episode.arrays[name]).tobytes())
    return digest.hexdigest()


def save(folder: Path, dataset: Dataset) -> str:
    """Write a data set; an older one is replaced only once the new one is complete.

    Args:
        folder: Of its files; it may exist.
        dataset: What to write.

    Returns:
        The content hash.

    Raises:
        DatasetFileError: It is no data set, or cannot be written.
    """
    h5py = _h5py()
    _check(folder, dataset.episodes)
    digest = content_hash(dataset.episodes)
    metadata = _metadata(dataset)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f"{DATA_NAME}.tmp"
        with h5py.File(temporary, "w") as file:
            for index, episode in enumerate(dataset.episodes):
                group = file.create_group(f"episode_{index}")
                group.attrs.update(
                    {**episode.attributes, "id": index, "total_steps": episode.steps}
                )
                for name, values in episode.arrays.items():
                    _write_array(group, name, values)
            # Not as an attribute: those end at 64 KB.
            file["provenance"] = json.dumps(dataset.provenance)
            tables = file.create_group("tables")
            for name, values in dataset.tables.items():
                _write_array(tables, name, values)
            file.attrs.update(metadata | {"format_version": FORMAT_VERSION, "sha256": digest})
        os.replace(temporary, folder / DATA_NAME)
        temporary = folder / f"{METADATA_NAME}.tmp"
        temporary.write_text(json.dumps(metadata | {"sha256": digest}, indent=1), encoding="utf-8")
        os.replace(temporary, folder / METADATA_NAME)
    except (OSError, TypeError) as error:
        raise DatasetFileError(f"data set {folder}", got=error) from error
    return digest


def load(folder: Path) -> Dataset:
    """Read a data set.

    Raises:
        DatasetFileError: It cannot be read, or is not what it says that it is.
    """
    h5py = _h5py()
    try:
        with h5py.File(folder / DATA_NAME, "r") as file:
            version = file.attrs.get("format_version")
            if version != FORMAT_VERSION:
                raise DatasetFileError(
                    f"data set {folder}: format_version", got=version, expected=FORMAT_VERSION
                )
            count, stated = int(file.attrs["total_episodes"]), file.attrs["sha256"]
            episodes = [
                StoredEpisode(_arrays(group), _attributes(group))
                for group in (file[f"episode_{index}"] for index in range(count))
            ]
            provenance = json.loads(file["provenance"].asstr()[()])
            dataset = Dataset(
                str(file.attrs["dataset_id"]), episodes, provenance, _arrays(file["tables"])
            )
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise DatasetFileError(f"data set {folder}", got=error) from error
    if (digest := content_hash(episodes)) != stated:
        raise DatasetFileError(
            f"data set {folder}: content hash", got=digest, expected=stated,
            remedy="The file is damaged: make it again.",
        )  # fmt: skip
    return dataset


def _h5py() -> ModuleType:
    """HDF5, which a robot that only flies need not have."""
    try:
        import h5py
    except ImportError as error:
        raise DatasetFileError(
            "data sets need h5py", got=error, remedy="pip install -r requirements/training.txt"
        ) from error
    module: ModuleType = h5py
    return module


def _check(folder: Path, episodes: Sequence[StoredEpisode]) -> None:
    """Refuse what no reader could make sense of."""
    for index, episode in enumerate(episodes):
        what = f"data set {folder}: episode {index}"
        roots = {name.split("/")[0] for name in episode.arrays}
        if missing := {"observations", "actions", *_STEPS} - roots:
            raise DatasetFileError(what, got=f"no {', '.join(sorted(missing))}")
        for name, values in episode.arrays.items():
            root = name.split("/")[0]
            expected = episode.steps + (root == "observations")
            if root != "infos" and len(values) != expected:
                raise DatasetFileError(
                    f"{what}: length of {name}", got=len(values), expected=expected
                )
            other = episodes[0].arrays.get(name)
            if other is None or (root != "infos" and other.shape[1:] != values.shape[1:]):
                raise DatasetFileError(
                    f"{what}: {name}", got=values.shape,
                    expected="as in the first episode",
                )  # fmt: skip


def _write_array(group: Any, name: str, values: AnyArray) -> None:
    # Neither a single number nor an empty array can be compressed.
    compression = "lzf" if np.ndim(values) and np.size(values) else None
    group.create_dataset(name, data=values, compression=compression)


def _arrays(group: Any) -> dict[str, AnyArray]:
    """All arrays below a group, by path."""
    found: dict[str, AnyArray] = {}

    def visit(name: str, item: Any) -> None:
        if hasattr(item, "dtype"):
            found[name] = item[()]

    group.visititems(visit)
    return found


def _attributes(group: Any) -> dict[str, Any]:
    """Attributes as plain values, without those that follow from the place and the arrays."""
    return {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in group.attrs.items()
        if name not in ("id", "total_steps")
    }


def _metadata(dataset: Dataset) -> dict[str, Any]:
    """What Minari asks for."""
    first = dataset.episodes[0].arrays if dataset.episodes else {}
    return {
        "dataset_id": dataset.name,
        "minari_version": MINARI_VERSION,
        "data_format": "hdf5",
        "jpeg_encoding": False,
        "total_episodes": len(dataset.episodes),
        "total_steps": dataset.total_steps,
        "observation_space": json.dumps(_space("observations", first)),
        "action_space": json.dumps(_space("actions", first)),
    }


def _space(root: str, arrays: Mapping[str, AnyArray]) -> dict[str, Any]:
    """The unbounded space of an array, or of those below a path, as Minari writes it."""
    if root in arrays:
        return _box(arrays[root])
    below = {name.split("/")[1] for name in arrays if name.startswith(f"{root}/")}
    spaces = {name: _space(f"{root}/{name}", arrays) for name in sorted(below)}
    return {"type": "Dict", "subspaces": spaces}


def _box(values: AnyArray) -> dict[str, Any]:
    shape, dtype = values.shape[1:], values.dtype
    low, high = -math.inf, math.inf
    if dtype.kind in "iu":
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    return {
        "type": "Box", "dtype": str(dtype), "shape": list(shape),
        "low": np.full(shape, low).tolist(), "high": np.full(shape, high).tolist(),
    }  # fmt: skip
