"""Bundles: what was written is read, and whatever does not fit is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from planner_core.bundle import MANIFEST_NAME, load_bundle
from planner_core.errors import (
    BundleError,
    BundleFieldError,
    BundleFileError,
    BundleHashError,
    BundleMismatchError,
)
from planner_core.manifest import Manifest, manifest_from_dict
from planner_core.robots import crazyflie, go2

OPTIONAL = {"quality", "latency", "sensors", "goal_names"}
REQUIRED = [name for name in Manifest.__dataclass_fields__ if name not in OPTIONAL]


def edit(folder: Path, change) -> None:
    path = folder / MANIFEST_NAME
    data = yaml.safe_load(path.read_text())
    change(data)
    path.write_text(yaml.safe_dump(data))


def test_a_bundle_survives_writing_and_reading(folder: Path, tiny_manifest: Manifest):
    bundle = load_bundle(folder)
    assert bundle.manifest == tiny_manifest
    assert bundle.graphs == {"plan": (folder / "model.onnx").read_bytes()}
    bundle.require_robot(crazyflie())


def test_missing_files_are_named(folder: Path):
    (folder / "model.onnx").unlink()
    with pytest.raises(BundleFileError, match=r"model\.onnx") as error:
        load_bundle(folder)
    assert error.value.code == 301
    with pytest.raises(BundleFileError, match=MANIFEST_NAME):
        load_bundle(folder / "elsewhere")


@pytest.mark.parametrize("text", ["{", "\x00", "- a"])
def test_a_manifest_that_is_not_one_is_refused(folder: Path, text: str):
    (folder / MANIFEST_NAME).write_text(text)
    with pytest.raises(BundleError, match="manifest"):
        load_bundle(folder)


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b + b" ", lambda b: b[::-1]])
def test_a_damaged_graph_is_refused(folder: Path, damage):
    path = folder / "model.onnx"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BundleHashError, match="sha256") as error:
        load_bundle(folder)
    assert error.value.code == 302


@pytest.mark.parametrize("name", REQUIRED)
def test_every_missing_field_is_named(folder: Path, name: str):
    edit(folder, lambda data: data.pop(name))
    with pytest.raises(BundleFieldError, match=name) as error:
        load_bundle(folder)
    assert error.value.code == 303


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("format_version",), 1, "format_version"),
        (("horizon",), "32", "horizon"),
        (("horizon",), 1, "horizon"),
        (("horizon",), True, "horizon"),
        (("dt_s",), -0.1, "dt_s"),
        (("dt_s",), float("nan"), "dt_s"),
        (("candidates",), 0, "candidates"),
        (("stochastic",), 1, "stochastic"),
        (("dof_names",), ["x", "x", "z", "yaw"], "dof_names"),
        (("dof_units",), ["m"], "dof_units"),
        (("normalisation",), {}, "normalisation mean"),
        (("normalisation", "std"), [1.0], "normalisation.std"),
        (("normalisation", "std"), [0.0] * 8, "normalisation.std"),
        (("normalisation", "mean"), [], "normalisation.mean"),
        (("normalisation", "mean"), [float("inf")] * 8, "normalisation.mean"),
        (("scan", "rays"), 0, "scan.rays"),
        (("scan", "colour"), "red", "colour"),
        (("limits",), {"speed_m_s": "fast"}, "limits"),
        (("graphs",), {}, "graphs"),
        (("graphs", "plan", "file"), "../model.onnx", "graphs plan file"),
        (("graphs", "plan", "inputs"), "scan", "graphs plan inputs"),
        (("graphs", "plan", "sha256"), 1, "graphs plan sha256"),
        (("sampler",), {"steps": 3}, "sampler"),
        (("surprise",), 1, "surprise"),
    ],
)
def test_bad_fields_are_named(folder: Path, path, value, named):
    def change(data):
        for key in path[:-1]:
            data = data[key]
        data[path[-1]] = value

    edit(folder, change)
    with pytest.raises(BundleFieldError, match=named):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("robot", "go2"),
        ("frame_id", "odom"),
        ("dof_names", ("y", "x", "z", "yaw")),
        ("dof_units", ("m", "m", "m", "deg")),
    ],
)
def test_another_robot_or_order_is_refused(write_tiny_bundle, field: str, value):
    bundle = load_bundle(write_tiny_bundle("other", **{field: value}))
    with pytest.raises(BundleMismatchError, match=field) as error:
        bundle.require_robot(crazyflie())
    assert error.value.code == 304


def test_a_bundle_of_the_crazyflie_does_not_walk(folder: Path):
    with pytest.raises(BundleMismatchError, match="robot"):
        load_bundle(folder).require_robot(go2())


def test_the_manifest_cannot_execute_code(folder: Path, tmp_path: Path):
    witness = tmp_path / "executed"
    (folder / MANIFEST_NAME).write_text(
        f"!!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path [{witness}]]"
    )
    with pytest.raises(BundleFileError):
        load_bundle(folder)
    assert not witness.exists()


def test_figures_may_be_absent(folder: Path):
    edit(folder, lambda data: (data.pop("quality"), data.pop("latency")))
    assert load_bundle(folder).manifest.quality == {}


@pytest.mark.parametrize("data", [None, [], {}, "manifest"])
def test_content_that_is_no_manifest_is_refused(data):
    with pytest.raises(BundleFieldError, match="format_version"):
        manifest_from_dict(data)
