from setuptools import find_packages, setup

NAME = "robot_simulation"

setup(
    name=NAME,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    # The Go2's own middleware: an option.
    extras_require={"go2": ["cyclonedds==11.0.1"]},
    zip_safe=False,
    maintainer="Driftpilot maintainers",
    maintainer_email="maintainers@driftpilot.example",
    description="Simulated robots: own MuJoCo models behind the robots' own protocols.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "crazyflie_simulation = robot_simulation.crazyflie.node:main",
            "go2_simulation = robot_simulation.go2.node:main",
            "so100_simulation = robot_simulation.so100.node:main",
        ],
    },
)
