"""Launch of ROS nodes.

This is Driftpilot's stand-in for the part of ROS 2's ``launch_ros`` that its launch files and
tests use, for installations where ROS 2 comes from PyPI. Names that it leaves out raise when
imported.
"""

from launch._unsupported import refuse_names

from . import actions, descriptions, event_handlers, events, substitutions
from .default_launch_description import get_default_launch_description
from .parameters_type import SomeParameters
from .remap_rule_type import SomeRemapRules

__all__ = [
    "SomeParameters",
    "SomeRemapRules",
    "actions",
    "descriptions",
    "event_handlers",
    "events",
    "get_default_launch_description",
    "substitutions",
]

__getattr__ = refuse_names(__name__, {"ROSLaunchDescription", "ros_adapters"})
