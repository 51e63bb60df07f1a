from setuptools import find_packages, setup

NAME = "planner_core"

setup(
    name=NAME,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    zip_safe=False,
    maintainer="Driftpilot maintainers",
    maintainer_email="maintainers@driftpilot.example",
    description="Plans, gates, estimators, worlds, model bundles and generator runtimes.",
    license="Apache-2.0",
    entry_points={
        "planner.estimators": [
            "error_state_filter = planner_core.estimation_replay:error_state_filter",
        ],
        "planner.planners": [
            "diffuser = planner_core.planners:diffuser",
            "fault = planner_core.planners:fault",
            "grid_search = planner_core.planners:grid_search",
            "mpdiffuser = planner_core.planners:mpdiffuser",
            "one_step = planner_core.planners:one_step",
            "scripted_placing = planner_core.planners:scripted_placing",
            "straight_line = planner_core.planners:straight_line",
        ],
        "planner.tasks": [
            "pick_place = planner_core.manipulation:PlaceObject",
            "stack = planner_core.manipulation:StackObject",
            "walk = planner_core.walking_task:Walk",
        ],
        "planner.robots": [
            "crazyflie = planner_core.robots:crazyflie",
            "go2 = planner_core.robots:go2",
            "so100 = planner_core.robots:so100",
        ],
    },
)
