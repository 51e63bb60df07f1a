from setuptools import find_packages, setup

NAME = "state_estimation"

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
    description="State estimation of bodies, joints and objects.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "joint_state_estimation = state_estimation.joint_node:main",
            "legged_estimation = state_estimation.legged_node:main",
            "state_estimation = state_estimation.node:main",
        ],
    },
)
