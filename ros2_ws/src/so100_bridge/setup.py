from setuptools import find_packages, setup

NAME = "so100_bridge"

setup(
    name=NAME,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    # An option of this package, and of no other. Installed as requirements/so100.txt says, it
    # brings no CUDA and leaves torch as it is.
    extras_require={"lerobot": ["lerobot==0.4.4", "feetech-servo-sdk==1.0.0", "pyserial==3.5"]},
    zip_safe=False,
    maintainer="Driftpilot maintainers",
    maintainer_email="maintainers@driftpilot.example",
    description="Commands in, joint states out: the bridge to an SO-100, real or simulated.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "so100_bridge = so100_bridge.node:main",
            "so100_leader = so100_bridge.leader:main",
            "so100_calibrate = so100_bridge.calibrate:main",
        ],
    },
)
