"""Model bundles: ONNX graphs, and a manifest that says what they were made for.

A bundle is a folder with ``manifest.yaml``, its graphs and a model card. Nothing in it is
executed but the graphs: no pickle, no Python. Loading refuses whatever does not fit, and names the
field.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from planner_core.errors import (
    BundleFieldError,
    BundleFileError,
    BundleHashError,
    BundleMismatchError,
)
from planner_core.manifest import GraphSpec, Manifest, manifest_from_dict
from planner_core.plain_data import read_yaml
from planner_core.robot import Robot

MANIFEST_NAME: Final = "manifest.yaml"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose files have been checked.

    Attributes:
        folder: Where it lies.
        manifest: What it says of itself.
        graphs: Content of each graph's file; read once, so that what was hashed is what runs.
    """

    folder: Path
    manifest: Manifest
    graphs: Mapping[str, bytes]

    def require_robot(self, robot: Robot) -> None:
        """Refuse another robot, another frame, or another order of its degrees of freedom.

        Raises:
            BundleMismatchError: A field does not match; the message names it.
        """
        expected = {
            "robot": robot.name,
            "frame_id": robot.frame_id,
            "dof_names": robot.names,
            "dof_units": robot.units,
        }
        for name, value in expected.items():
            if (got := getattr(self.manifest, name)) != value:
                raise BundleMismatchError(
                    f"bundle {self.manifest.name}: {name}", got=got, expected=value,
                    remedy="Use a bundle made for this robot, or train one.",
                )  # fmt: skip


def load_bundle(folder: str | Path) -> Bundle:
    """Read a bundle and check everything that can be checked without running it.

    Args:
        folder: Folder that holds ``manifest.yaml``.

    Raises:
        BundleFileError: A file is missing or unreadable.
        BundleFieldError: A manifest field is missing, unknown, or out of range.
        BundleHashError: The graph is not the one that the manifest describes.
    """
    folder = Path(folder)
    path = folder / MANIFEST_NAME
    try:
        data = read_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BundleFileError(
            f"bundle {folder}: {MANIFEST_NAME}", got=error.strerror,
            remedy="Give the folder of a bundle, such as models/crazyflie_navigation.",
        ) from error  # fmt: skip
    except ValueError as error:
        raise BundleFileError(f"bundle {folder}: {MANIFEST_NAME} is not YAML") from error
    manifest = manifest_from_dict(data)
    graphs = {name: _graph(folder, name, spec) for name, spec in manifest.graphs.items()}
    return Bundle(folder, manifest, graphs)


def _graph(folder: Path, name: str, spec: GraphSpec) -> bytes:
    """The content of a graph's file, if it is the one that the manifest describes."""
    if Path(spec.file).name != spec.file:
        raise BundleFieldError(
            f"manifest graphs {name} file", got=spec.file, expected="a file of the bundle's folder"
        )
    try:
        content = (folder / spec.file).read_bytes()
    except OSError as error:
        raise BundleFileError(f"bundle {folder}: {spec.file}", got=error.strerror) from error
    if (digest := hashlib.sha256(content).hexdigest()) != spec.sha256:
        raise BundleHashError(
            f"bundle {folder}: sha256 of {spec.file}",
            got=digest, expected=spec.sha256,
            remedy="The file is damaged or was exchanged: restore it, or export again.",
        )  # fmt: skip
    return content


def save_manifest(manifest: Manifest, folder: Path) -> None:
    """Write the manifest of a bundle."""
    text = yaml.safe_dump(_plain(asdict(manifest)), sort_keys=False, width=100)
    (folder / MANIFEST_NAME).write_text(text, encoding="utf-8")


def _plain(value: Any) -> Any:
    """The same with YAML's own types only."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
