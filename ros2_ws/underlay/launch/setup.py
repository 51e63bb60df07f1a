import runpy
from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = "launch"

# From this file's real place: an install with symlinks runs a link to it.
GUARD = Path(__file__).resolve().parent.parent / "guard.py"
runpy.run_path(str(GUARD))["refuse_where_genuine"](PACKAGE)

setup(
    name=PACKAGE,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    zip_safe=True,
    maintainer="Driftpilot maintainers",
    maintainer_email="maintainers@driftpilot.example",
    description="Stand-in for the part of ROS 2 launch that Driftpilot uses",
    license="Apache-2.0",
    tests_require=["pytest"],
)
