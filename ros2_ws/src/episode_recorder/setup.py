from setuptools import find_packages, setup

NAME = "episode_recorder"

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
    description="Records episodes as rosbag2 bags that survive a crash, makes data sets of them.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "episode_recorder = episode_recorder.node:main",
        ],
    },
)
