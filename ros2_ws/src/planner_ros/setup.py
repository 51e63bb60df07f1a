from setuptools import find_packages, setup

NAME = "planner_ros"

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
    description="The ROS half of planner_core: clocks, parameters, conversions, processes.",
    license="Apache-2.0",
)
