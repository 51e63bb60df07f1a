from setuptools import find_packages, setup

package_name = "trajectory_learning"

setup(
    name=package_name,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{package_name}"]),
        (f"share/{package_name}", ["package.xml"]),
    ],
    # torch, safetensors, onnx and onnxscript have no rosdep keys: they come from PyPI, and only
    # where models are trained. The robot needs none of them.
    install_requires=["setuptools", "numpy", "scipy"],
    extras_require={
        "train": [
            "h5py",
            "matplotlib",
            "onnx",
            "onnxruntime",
            "onnxscript",
            "safetensors",
            "torch>=2.13",
            "tqdm",
        ]
    },
    package_data={f"{package_name}.problems": ["*.json"]},
    zip_safe=True,
    maintainer="Driftpilot maintainers",
    maintainer_email="maintainers@driftpilot.example",
    description="Training, evaluation and export of learned planners; runs off the robot.",
    license="Apache-2.0",
    tests_require=["pytest"],
    entry_points={
        "console_scripts": ["trajectory_learning = trajectory_learning.__main__:main"],
    },
)
