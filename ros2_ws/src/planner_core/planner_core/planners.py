"""Planners by name.

A planner of one's own is a function from a `PlannerRequest` to a `TrajectoryGenerator`, registered
by its package under the entry point group ``planner.planners``; the built-in ones register the same
way.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from planner_core.bundle import Bundle, load_bundle
from planner_core.classical import GridSearchPlanner, StraightLinePlanner
from planner_core.errors import BundleMismatchError, InvalidParameterError
from planner_core.plan import TrajectoryGenerator
from planner_core.plugins import load_plugin
from planner_core.robot import Robot
from planner_core.world import World


@dataclass(frozen=True, slots=True)
class SamplerSettings:
    """How a generator computes its candidates; None leaves it to the model bundle.

    A planner that cannot honour a setting refuses it.

    Attributes:
        steps: Denoising steps of a call that starts from noise.
        warm_start_steps: Denoising steps of a call that starts from the previous plan; 0 always
            starts from noise.
        guidance_scale: Weight of the condition in classifier-free guidance: 0 ignores it, 1 is the
            conditional model.
        temperature: Variance of all noise: 1 draws from the model, 0 draws none.
        provider: What runs the graph: ``cpu``, ``cuda`` or ``tensorrt``.
    """

    steps: int | None = None
    warm_start_steps: int | None = None
    guidance_scale: float | None = None
    temperature: float | None = None
    provider: str = "cpu"


@dataclass(frozen=True, slots=True)
class PlannerRequest:
    """What a planner may need to be made.

    Attributes:
        robot: Robot to plan for.
        model: Folder of the model bundle, None where no model was named.
        candidates: ``K``; None takes the planner's own number.
        world: Map of a mobile robot, None where it is not known.
        sampler: How candidates are computed.
    """

    robot: Robot
    model: Path | None = None
    candidates: int | None = None
    world: World | None = None
    sampler: SamplerSettings = SamplerSettings()


def load_planner(name: str, request: PlannerRequest) -> TrajectoryGenerator:
    """Make a planner by name.

    Raises:
        UnknownPluginError: No installed package provides it; the message lists those that exist.
        DriftpilotError: The planner cannot be made from this request.
    """
    generator: TrajectoryGenerator = load_plugin("planner.planners", name)(request)
    return generator


def planner_of(bundle: Bundle) -> str:
    """Name of the planner that runs a bundle."""
    one_step = bundle.manifest.kind.startswith("one_step_")
    return "one_step" if one_step else bundle.manifest.provenance.method


def refuse_settings(planner: str, sampler: SamplerSettings, *honoured: str) -> None:
    """Refuse settings that a planner cannot honour.

    Args:
        planner: Its name.
        sampler: What was asked for.
        honoured: Names of the settings that it knows.

    Raises:
        InvalidParameterError: Another setting is not at its default.
    """
    for field in fields(sampler):
        if field.name not in honoured and (value := getattr(sampler, field.name)) != field.default:
            raise InvalidParameterError(
                f"planner {planner} has no {field.name}", got=value, expected=field.default,
                remedy="Set it back, or choose a planner that samples in steps.",
            )  # fmt: skip


def one_step(request: PlannerRequest) -> TrajectoryGenerator:
    """A learned one-step generator from a model bundle."""
    from planner_core.onnx_generator import create  # onnxruntime takes 0.2 s to import

    refuse_settings("one_step", request.sampler, "provider")
    model = _model("one_step", request)
    return create(request.robot, model, request.candidates, request.sampler.provider)


def diffuser(request: PlannerRequest) -> TrajectoryGenerator:
    """A Diffuser from a model bundle."""
    return _diffusion("diffuser", request)


def mpdiffuser(request: PlannerRequest) -> TrajectoryGenerator:
    """An MPDiffuser from a model bundle."""
    return _diffusion("mpdiffuser", request)


def _diffusion(method: str, request: PlannerRequest) -> TrajectoryGenerator:
    from planner_core import joint_diffusion
    from planner_core.diffusion_generator import DiffusionGenerator

    bundle = load_bundle(_model(method, request))
    bundle.require_robot(request.robot)
    if bundle.manifest.provenance.method != method:
        raise BundleMismatchError(
            f"bundle {bundle.manifest.name}: method",
            got=bundle.manifest.provenance.method, expected=method,
            remedy="Choose the planner that the model was trained for.",
        )  # fmt: skip
    if bundle.manifest.kind == joint_diffusion.KIND:
        return joint_diffusion.JointDiffusionGenerator(bundle, request.candidates, request.sampler)
    return DiffusionGenerator(bundle, request.candidates, request.sampler)


def fault(request: PlannerRequest) -> TrajectoryGenerator:
    """A planner that fails on purpose; the model's name says how."""
    from planner_core.fault_planners import FaultPlanner, parse_fault

    refuse_settings("fault", request.sampler)
    return FaultPlanner(request.robot, parse_fault(_model("fault", request).name))


def scripted_placing(request: PlannerRequest) -> TrajectoryGenerator:
    """An object picked and placed by a script."""
    from planner_core.scripted_manipulation import ScriptedPlacing

    refuse_settings("scripted_placing", request.sampler)
    return ScriptedPlacing(request.robot)


def straight_line(request: PlannerRequest) -> TrajectoryGenerator:
    """Straight at the goal."""
    refuse_settings("straight_line", request.sampler)
    return StraightLinePlanner(request.robot)


def grid_search(request: PlannerRequest) -> TrajectoryGenerator:
    """Along the shortest path of a known map."""
    refuse_settings("grid_search", request.sampler)
    if request.world is None:
        raise InvalidParameterError(
            "planner grid_search without a map", expected="a world",
            remedy="Set the parameter `world`.",
        )  # fmt: skip
    return GridSearchPlanner(request.robot, request.world)


def _model(planner: str, request: PlannerRequest) -> Path:
    if request.model is None:
        raise InvalidParameterError(
            f"planner {planner} without a model", expected="the name of a bundle",
            remedy="Set the parameter `model`.",
        )  # fmt: skip
    return request.model
