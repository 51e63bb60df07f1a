"""The manifest of a model bundle: what it says of itself, and the checks that it has to pass.

The schema is these classes: a field that is missing, unknown, or of another type is refused, and
named, because a network that is fed another joint order or normalisation still answers.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Any, Final

import numpy as np
from planner_core.errors import BundleFieldError

FORMAT_VERSION: Final = 2
PREDICTIONS: Final = ("x0", "v", "epsilon")
COUPLINGS: Final = ("planner", "joint", "alternating")


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """An input or output of the graph.

    Attributes:
        name: Its name in the graph.
        shape: Its shape; a name such as ``K`` stands for a size that is chosen at run time.
        unit: Unit of its numbers, ``1`` for none.
    """

    name: str
    shape: tuple[int | str, ...]
    unit: str


@dataclass(frozen=True, slots=True)
class GraphSpec:
    """A graph of a bundle.

    Attributes:
        file: Its file in the bundle's folder.
        sha256: Hash of the file.
        inputs: Inputs of the graph.
        outputs: Outputs of the graph.
    """

    file: str
    sha256: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def input(self, name: str) -> TensorSpec:
        """An input by name.

        Raises:
            BundleFieldError: There is no such input.
        """
        for spec in self.inputs:
            if spec.name == name:
                return spec
        raise BundleFieldError(
            f"graph {self.file}: no input {name!r}", got=[spec.name for spec in self.inputs]
        )


@dataclass(frozen=True, slots=True)
class Statistics:
    """Normalisation that is part of the graph, recorded so that it can be compared.

    Attributes:
        mean: Mean of each feature.
        std: Standard deviation of each feature.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ScanSpec:
    """The scan that the model was taught on.

    Attributes:
        rays: Number of ranges, evenly spaced over the full circle.
        max_range_m: Longer ranges count as this [m].
    """

    rays: int
    max_range_m: float


@dataclass(frozen=True, slots=True)
class SamplerSpec:
    """How a diffusion model is sampled.

    Attributes:
        alpha_bar: (T + 1) share of the signal's variance that is left at each level; 1 at level 0.
        prediction: What the graphs predict: "x0", "v" or "epsilon".
        coupling: How planner and dynamics model meet: "planner" (no dynamics model), "joint" (one
            step for both) or "alternating" (MPDiffuser, Algorithm 1).
        steps: Steps of a call that starts from noise.
        warm_start_steps: Steps of a call that starts from the previous plan; 0 always starts from
            noise.
        guidance_scale: Weight of the condition; 1 is the conditional model.
        ancestral: Whether the steps draw noise, as those of DDPM do, or none, as those of DDIM.
        inpaint: Channels of the first sample that hold the present state, counted from the first.
        low: Lowest value of each normalised channel in the data.
        high: Highest value.
        temperature: Variance of all noise; 1 draws from the model, 0 draws none: every candidate is
            the same plan, near the model's mean.
    """

    alpha_bar: tuple[float, ...]
    prediction: str
    coupling: str
    steps: int
    warm_start_steps: int
    guidance_scale: float
    ancestral: bool
    inpaint: int
    low: tuple[float, ...]
    high: tuple[float, ...]
    temperature: float = 1.0


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a model comes from.

    Attributes:
        method: Training method.
        command: Command that trained it.
        version: Version of the package that trained it.
        data_sha256: Content hash of the data set.
        data_command: Command that made the data set.
        seed: Seed of the training.
    """

    method: str
    command: str
    version: str
    data_sha256: str
    data_command: str
    seed: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle says of itself.

    Attributes:
        format_version: Version of this schema.
        name: Shown in status messages.
        kind: What the graphs compute; decides which generator can run it.
        robot: Robot that it plans for.
        frame_id: Frame of its observations and plans.
        dof_names: Degrees of freedom, in the order of its arrays.
        dof_units: Unit of each.
        horizon: Samples of a plan.
        dt_s: Spacing of the samples [s].
        candidates: Plans of one call, unless the user asks for another number.
        stochastic: Whether the noise matters; without, all candidates are the same.
        scan: The scan that it was taught on; None for a model that takes none.
        limits: Limits that its plans keep, by name, the unit at the end of the name.
        graphs: Its graphs, by what they are for.
        normalisation: Statistics of the features, or of the channels of a diffusion model.
        sampler: How it is sampled; None for a one-step model.
        provenance: Where it comes from.
        quality: Measured quality, by name.
        latency: Measured latency, by name.
        sensors: Sensors of named numbers that it takes: the names in its order, by sensor.
        goal_names: What it aims at, in its order; empty for all degrees of freedom.
    """

    format_version: int
    name: str
    kind: str
    robot: str
    frame_id: str
    dof_names: tuple[str, ...]
    dof_units: tuple[str, ...]
    horizon: int
    dt_s: float
    candidates: int
    stochastic: bool
    scan: ScanSpec | None
    limits: Mapping[str, float]
    graphs: Mapping[str, GraphSpec]
    normalisation: Statistics
    sampler: SamplerSpec | None
    provenance: Provenance
    quality: Mapping[str, float] = field(default_factory=dict)
    latency: Mapping[str, float] = field(default_factory=dict)
    sensors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    goal_names: tuple[str, ...] = field(default_factory=tuple)

    def graph(self, name: str) -> GraphSpec:
        """A graph by name.

        Raises:
            BundleFieldError: The bundle has no such graph.
        """
        if name not in self.graphs:
            raise BundleFieldError(
                f"bundle {self.name}: no graph {name!r}", got=sorted(self.graphs)
            )
        return self.graphs[name]


def manifest_from_dict(data: Any) -> Manifest:
    """Build a manifest from the content of its file.

    Raises:
        BundleFieldError: A field is missing, unknown, or out of range.
    """
    version = data.get("format_version") if isinstance(data, dict) else None
    if version != FORMAT_VERSION:
        raise BundleFieldError(
            "manifest format_version", got=version, expected=FORMAT_VERSION,
            remedy="Export the model again with the present version.",
        )  # fmt: skip
    manifest: Manifest = _build(Manifest, data, "manifest")
    n_q = len(manifest.dof_names)
    width = len(manifest.normalisation.mean)
    checks = {
        "dof_names": len(set(manifest.dof_names)) == n_q > 0,
        "dof_units": len(manifest.dof_units) == n_q,
        "horizon": manifest.horizon >= 2,
        "dt_s": 0 < manifest.dt_s < np.inf,
        "candidates": manifest.candidates >= 1,
        "goal_names": len(set(manifest.goal_names)) == len(manifest.goal_names),
        "normalisation.mean": width > 0 and bool(np.isfinite(manifest.normalisation.mean).all()),
        "normalisation.std": len(manifest.normalisation.std) == width
        and bool(np.isfinite(manifest.normalisation.std).all())
        and min(manifest.normalisation.std) > 0,
        "graphs": len(manifest.graphs) > 0,
    }
    for name, names in manifest.sensors.items():
        checks[f"sensors.{name}"] = len(set(names)) == len(names) > 0
    if (scan := manifest.scan) is not None:
        checks["scan.rays"] = scan.rays >= 4
        checks["scan.max_range_m"] = 0 < scan.max_range_m < np.inf
    if manifest.sampler is not None:
        checks |= _sampler_checks(manifest.sampler, width)
    for name, passed in checks.items():
        if not passed:
            raise BundleFieldError(f"manifest {name} is out of range")
    return manifest


def _sampler_checks(sampler: SamplerSpec, channels: int) -> dict[str, bool]:
    """Whether each field of a sampler is in range, by its name."""
    alpha_bar, low, high = (np.array(x) for x in (sampler.alpha_bar, sampler.low, sampler.high))
    levels = len(alpha_bar) - 1
    falling = levels >= 1 and alpha_bar[0] == 1 and alpha_bar[-1] > 0
    return {
        "sampler.alpha_bar": bool(falling and (np.diff(alpha_bar) < 0).all()),
        "sampler.prediction": sampler.prediction in PREDICTIONS,
        "sampler.coupling": sampler.coupling in COUPLINGS,
        "sampler.steps": 1 <= sampler.steps <= levels,
        "sampler.warm_start_steps": 0 <= sampler.warm_start_steps <= levels,
        "sampler.guidance_scale": 0 <= sampler.guidance_scale < np.inf,
        "sampler.temperature": 0 <= sampler.temperature <= 1,
        "sampler.inpaint": 0 <= sampler.inpaint <= channels,
        "sampler.low": low.shape == (channels,),
        "sampler.high": high.shape == low.shape and bool((low < high).all()),
    }


def _build(kind: Any, data: Any, where: str) -> Any:
    """A dataclass from a mapping, with every field checked against its annotation."""
    if not isinstance(data, dict):
        raise BundleFieldError(where, got=type(data).__name__, expected="a mapping")
    hints = typing.get_type_hints(kind)
    if unknown := sorted(str(key) for key in set(data) - set(hints)):
        raise BundleFieldError(f"{where}: unknown fields", got=unknown)
    values = {}
    for spec in fields(kind):
        if spec.name in data:
            values[spec.name] = _value(hints[spec.name], data[spec.name], f"{where} {spec.name}")
        elif spec.default is MISSING and spec.default_factory is MISSING:
            raise BundleFieldError(f"{where} {spec.name} is missing")
    return kind(**values)


def _value(hint: Any, data: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if is_dataclass(hint):
        return _build(hint, data, where)
    if origin is tuple and isinstance(data, list):
        return tuple(_value(arguments[0], item, where) for item in data)
    if origin is Mapping and isinstance(data, dict):
        return {
            str(key): _value(arguments[1], item, f"{where} {key}") for key, item in data.items()
        }
    if origin in (types.UnionType, typing.Union):
        if type(data) in arguments:
            return data
        nested = [argument for argument in arguments if is_dataclass(argument)]
        if nested:
            return _value(nested[0], data, where)
    if hint is float and type(data) in (int, float):
        return float(data)
    if isinstance(hint, type) and type(data) is hint:
        return data
    raise BundleFieldError(where, got=repr(data), expected=getattr(hint, "__name__", str(hint)))
