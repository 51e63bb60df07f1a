from setuptools import find_packages, setup

NAME = "crazyflie_bridge"

setup(
    name=NAME,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    # GPL software: an option of this package, and of no other.
    extras_require={"cflib": ["cflib==0.1.34"]},
    zip_safe=False,
    maintainer="Driftpilot maintainers",
    maintainer_email="maintainers@driftpilot.example",
    description="Commands in, telemetry out: the bridge to a Crazyflie, real or simulated.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": ["crazyflie_bridge = crazyflie_bridge.node:main"],
    },
)
