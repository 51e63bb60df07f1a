from __future__ import annotations

from pathlib import Path

import pytest
from ament_index_python.packages import get_package_share_directory
from planner.planner_parameters import PlannerParameters, model_folder
from planner_core.errors import InvalidParameterError
from planner_core.planners import SamplerSettings
from planner_core.robots import crazyflie

MODELS = Path(get_package_share_directory("planner")) / "models"


def test_models_by_name_path_and_planner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert model_folder("", "one_step") is None
    assert model_folder("crazyflie_navigation", "one_step") == MODELS / "crazyflie_navigation"
    assert model_folder(str(tmp_path), "one_step") == tmp_path
    assert model_folder("some/where", "one_step") == Path("some/where")
    # Another planner of the same task finds its own bundle under the same name.
    assert model_folder("crazyflie_navigation", "bc") == MODELS / "crazyflie_navigation_bc"


def test_what_is_asked_of_a_planner() -> None:
    request = PlannerParameters(model="", num_candidates=8).request(crazyflie())
    assert request.model is None
    assert request.candidates == 8
    assert request.sampler == SamplerSettings()
    values = PlannerParameters(
        ddim_steps=5, warm_start_steps=0, guidance_scale=0.0, temperature=0.5
    )
    assert values.request(crazyflie()).sampler == SamplerSettings(5, 0, 0.0, 0.5)


def test_period_between_plans() -> None:
    assert PlannerParameters(replan_rate_hz=50.0).period_s(0.1) == pytest.approx(0.02)
    assert PlannerParameters(replan_rate_hz=0.0).period_s(0.1) == 0.0
    assert PlannerParameters(replan_every_steps=4).period_s(0.1) == pytest.approx(0.4)


@pytest.mark.parametrize(
    "values",
    [
        PlannerParameters(chunk_length=1, replan_rate_hz=5.0),
        PlannerParameters(chunk_length=3, replan_every_steps=4),
    ],
)
def test_chunks_shorter_than_the_time_between_plans_are_refused(values: PlannerParameters) -> None:
    with pytest.raises(InvalidParameterError, match="chunk_length"):
        values.check_chunk(0.1)


@pytest.mark.parametrize(
    "values",
    [
        PlannerParameters(chunk_length=0, replan_rate_hz=1.0),
        PlannerParameters(chunk_length=1, replan_rate_hz=10.0),
        PlannerParameters(chunk_length=4, replan_every_steps=4),
        PlannerParameters(chunk_length=1, replan_rate_hz=0.0),
    ],
)
def test_chunks_that_last_until_the_next_plan(values: PlannerParameters) -> None:
    values.check_chunk(0.1)
