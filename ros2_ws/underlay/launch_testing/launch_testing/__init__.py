"""Tests against a launched system, with the interface of the genuine launch_testing.

It serves installations where ROS 2 comes from PyPI. A test file that runs here runs unchanged under
the genuine package; a name that the genuine package has and this one lacks raises an error.

Everything is imported on first use: pytest loads the plugin of this package at each start, and most
test sessions launch nothing.
"""

from launch_testing.lazy_names import lazy_names

__all__ = [
    "ActiveIoHandler",
    "ActiveProcInfoHandler",
    "IoHandler",
    "ProcInfoHandler",
    "actions",
    "asserts",
    "io_handler",
    "markers",
    "parametrize",
    "post_shutdown_test",
    "proc_info_handler",
    "ready_to_test_action_timeout",
    "tools",
    "util",
]

__getattr__ = lazy_names(
    __name__,
    modules=[
        "actions",
        "asserts",
        "io_handler",
        "markers",
        "proc_info_handler",
        "tools",
        "util",
    ],
    objects={
        "ActiveIoHandler": "io_handler",
        "ActiveProcInfoHandler": "proc_info_handler",
        "IoHandler": "io_handler",
        "ProcInfoHandler": "proc_info_handler",
        "parametrize": "decorators",
        "post_shutdown_test": "decorators",
        "ready_to_test_action_timeout": "decorators",
    },
)
