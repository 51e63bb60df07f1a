from setuptools import find_packages, setup

NAME = "robot_bridge"

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
    description="What every robot bridge shares, and a loopback robot without physics.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "loopback_robot = robot_bridge.loopback:main",
        ],
    },
)
