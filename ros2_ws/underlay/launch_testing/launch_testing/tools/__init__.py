"""Tools to start processes within a test and to match their output."""

from launch_testing.lazy_names import lazy_names

__all__ = ["ProcessProxy", "launch_process", "process", "text"]

# Imported on first use: what these tools work on matches output with `tools.text`.
__getattr__ = lazy_names(
    __name__,
    modules=["process", "text"],
    objects={"ProcessProxy": "process", "launch_process": "process"},
)
