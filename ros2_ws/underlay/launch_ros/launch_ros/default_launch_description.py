"""What every launch of ROS nodes begins with."""

from launch import LaunchDescription


def get_default_launch_description() -> LaunchDescription:
    """Return a description that prepares a launch for ROS nodes: nothing needs to be done."""
    return LaunchDescription()
