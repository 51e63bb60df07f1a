"""The model card of a walking planner, written from its manifest."""

from __future__ import annotations

from pathlib import Path

from planner_core.manifest import Manifest


def write_walking_card(manifest: Manifest, folder: Path) -> None:
    """Write ``README.md`` next to the manifest."""
    sampler, origin = manifest.sampler, manifest.provenance
    assert sampler is not None
    quality = "\n".join(f"| {name} | {value:.4g} |" for name, value in manifest.quality.items())
    networks = "planner and dynamics model" if sampler.coupling == "joint" else "planner alone"
    text = f"""# {manifest.name}

Walks the Unitree Go2 at a commanded velocity (m/s ahead, m/s to the left, rad/s turning left).
{networks.capitalize()} denoise one window of {manifest.horizon - 1} joint targets,
{manifest.dt_s:g} s apart: {sampler.steps} times from noise, {sampler.warm_start_steps} times from
the last window, at a temperature of {sampler.temperature:g}. The graph `velocity` estimates the
trunk's velocity from joints and inertial sensor, since nothing on the robot measures it.

It was taught on rollouts in which motors had a stiffness of 40 N m/rad and a damping of
1 N m s/rad: the bridge has to be told the same.

## Made by
Method `{origin.method}`, coupling `{sampler.coupling}`, seed {origin.seed}, `trajectory_learning`
{origin.version}.

    {origin.data_command}
    {origin.command}

Data: walks of our own policy at four stages of its training, in our own simulation with random
friction, load, motor strength, delay and pushes. Content hash: `{origin.data_sha256}`.

## Measured quality
| figure | value |
|---|---|
{quality}

It has not moved a real robot. It knows level ground only, and commands of up to 0.8 m/s ahead,
0.2 m/s aside and 0.4 rad/s.
"""
    (folder / "README.md").write_text(text, encoding="utf-8")
