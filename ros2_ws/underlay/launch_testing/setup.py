"""Build file of the stand-in for launch_testing."""

import runpy
from pathlib import Path

from setuptools import find_packages, setup

GUARD = Path(__file__).resolve().parent.parent / "guard.py"
runpy.run_path(str(GUARD))["refuse_where_genuine"]("launch_testing")

setup(
    name="launch_testing",
    version="0.1.0",
    packages=find_packages(exclude=["test*"]),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/launch_testing"]),
        ("share/launch_testing", ["package.xml"]),
    ],
    install_requires=["setuptools", "pytest>=8"],
    zip_safe=True,
    maintainer="Driftpilot maintainers",
    maintainer_email="maintainers@driftpilot.example",
    description="Runs tests against a launched system",
    license="Apache-2.0",
    # launch_test goes to bin/, on the PATH, as the genuine one does.
    entry_points={
        "console_scripts": ["launch_test = launch_testing.launch_test:main"],
        "pytest11": ["launch_testing = launch_testing.pytest.hooks"],
    },
)
