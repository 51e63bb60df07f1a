"""Launch actions of tests."""

from launch_testing.lazy_names import lazy_names

from .ready import ReadyToTest

__all__ = ["ReadyToTest"]

__getattr__ = lazy_names(__name__)
