"""Build file of the stand-in for ros2cli."""

import runpy
from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = "ros2cli"
GUARD = Path(__file__).resolve().parent.parent / "guard.py"
runpy.run_path(str(GUARD))["refuse_where_genuine"](PACKAGE)

setup(
    name=PACKAGE,
    version="0.1.0",
    packages=find_packages(include=[PACKAGE, f"{PACKAGE}.*"]),
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
    ],
    python_requires=">=3.11",
    install_requires=["setuptools", "PyYAML", "rosbags>=0.11.9"],
    zip_safe=True,
    maintainer="Driftpilot maintainers",
    maintainer_email="maintainers@driftpilot.example",
    description="The ros2 command where ROS 2 comes from PyPI wheels.",
    license="Apache-2.0",
    # `ros2` goes to bin/, on the PATH, as the genuine one does: no setup.cfg redirects it.
    entry_points={"console_scripts": ["ros2 = ros2cli.cli:main"]},
)
