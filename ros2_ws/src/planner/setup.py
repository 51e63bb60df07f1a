from pathlib import Path

from setuptools import find_packages, setup

NAME = "planner"


def files(folder: str) -> list[tuple[str, list[str]]]:
    """The files below a folder, for installation under the same names.

    ``launch``, ``config`` and ``models`` are links to the folders at the top of the repository.
    """
    found: dict[str, list[str]] = {}
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            found.setdefault(f"share/{NAME}/{path.parent}", []).append(str(path))
    return list(found.items())


setup(
    name=NAME,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        *files("launch"),
        *files("config"),
        *files("models"),
    ],
    install_requires=["setuptools"],
    zip_safe=False,
    maintainer="Driftpilot maintainers",
    maintainer_email="maintainers@driftpilot.example",
    description="The planner server and the navigator; launch files and configuration.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "mission = planner.mission:main",
            "navigator = planner.navigator:main",
            "planner_server = planner.server:main",
            "world_server = planner.world_server:main",
        ],
    },
)
