from setuptools import find_packages, setup

NAME = "robot_view"

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
    description="Follows plans at absolute times: splice, gates, limits, staleness.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "flight_report = robot_view.flight_report:main",
            "live_view = robot_view.live_view:main",
        ],
    },
)
