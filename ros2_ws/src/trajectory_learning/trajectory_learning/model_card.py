"""The model card of a bundle, written from its manifest."""

from __future__ import annotations

from pathlib import Path

from planner_core.manifest import Manifest

USES = {
    "one_step": """It makes {candidates} candidate trajectories in one pass of the graph and ranks
them by the way that is left to the goal and by their clearance.""",
    "one_step_joints": """It makes {candidates} candidate trajectories in one pass of the graph. Of
those that keep the limits, the one wins that is nearest to all others.""",
    "behaviour_cloning": """It makes one trajectory in one pass of the graph: the baseline of the
comparison.""",
    "diffuser": """A Diffuser: a temporal U-Net denoises {candidates} trajectories, {steps} times
from noise or {warm} times from the last plan. A one-step planner's value head ranks them by the way
that is left to the goal and by their clearance.""",
    "mpdiffuser": """An MPDiffuser with {coupling} steps: a planner and a dynamics model denoise
{candidates} trajectories, {steps} times from noise or {warm} times from the last plan. A one-step
planner's value head ranks them by the way that is left to the goal and by their clearance.""",
}


def write_model_card(manifest: Manifest, folder: Path) -> None:
    """Write ``README.md`` next to the manifest."""
    (folder / "README.md").write_text(model_card(manifest), encoding="utf-8")


def model_card(manifest: Manifest) -> str:
    """A model card in Markdown."""
    origin = manifest.provenance
    use = _use(manifest)
    limits = "\n".join(f"| {name} | {value:g} |" for name, value in manifest.limits.items())
    quality = "\n".join(f"| {name} | {value:.4g} |" for name, value in manifest.quality.items())
    latency = "\n".join(f"| {name} | {value:.3g} |" for name, value in manifest.latency.items())
    return f"""# {manifest.name}

Plans {manifest.horizon} samples of {manifest.dt_s:g} s for the robot `{manifest.robot}` in the
frame `{manifest.frame_id}`, {_inputs(manifest)}

{use}

## Made by
Method `{origin.method}`, seed {origin.seed}, `trajectory_learning` {origin.version}.

    {origin.data_command}
    {origin.command}

Data: {_data(manifest)}
Nothing was recorded from people or from a real robot. Content hash:
`{origin.data_sha256}`.

## Limits of its plans
| limit | value |
|---|---|
{limits}

{_cost(manifest)}

## Measured quality
| figure | value |
|---|---|
{quality}

## Measured latency
| figure | value |
|---|---|
{latency}

It has not moved a real robot. {_unknown(manifest)}
"""


def _inputs(manifest: Manifest) -> str:
    """What it plans from."""
    if (scan := manifest.scan) is None:
        named = ", ".join(f"`{n}`" for names in manifest.sensors.values() for n in names)
        goal = ", ".join(f"`{name}`" for name in manifest.goal_names)
        return f"from its joints,\nwhere the object is ({named}),\nand the goal ({goal})."
    return f"""from its velocity, the goal, and a planar scan of {scan.rays} rays up
to {scan.max_range_m:g} m. Obstacles must reach above and below the robot: the scan sees one height
only. The yaw is held."""


def _data(manifest: Manifest) -> str:
    """What it was taught."""
    if manifest.scan is None:
        return "simulated episodes of scripts of different speed, disturbed."
    return """flights of four simulated pilots of different quality (see
`trajectory_learning/problems/pilots.py`) through random worlds whose seeds the evaluation never
uses."""


def _cost(manifest: Manifest) -> str:
    """What a budget may limit."""
    if manifest.scan is None:
        return "It has no cost model."
    return """The cost of a candidate, which a budget may limit, is the time [s] that it spends
closer than `exposure_m` to an obstacle."""


def _unknown(manifest: Manifest) -> str:
    """What it does not know."""
    if manifest.scan is None:
        return "It knows no obstacles but the table."
    return "It knows no moving obstacles, no glass, no goal behind a closed wall."


def _use(manifest: Manifest) -> str:
    """How it makes its plans."""
    if (sampler := manifest.sampler) is not None:
        return USES[manifest.provenance.method].format(
            candidates=manifest.candidates, steps=sampler.steps, warm=sampler.warm_start_steps,
            coupling=sampler.coupling,
        )  # fmt: skip
    name = "one_step" if manifest.stochastic else "behaviour_cloning"
    if name == "one_step" and manifest.scan is None:
        name = "one_step_joints"
    return USES[name].format(candidates=manifest.candidates)
