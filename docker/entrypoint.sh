#!/usr/bin/env bash
# The shell of ros2_ws/setup.bash, then the command.
set -e

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
if [ -f "/opt/ros/${ROS_DISTRO:-jazzy}/setup.bash" ]; then
  . "/opt/ros/${ROS_DISTRO:-jazzy}/setup.bash"
fi
. "$root/ros2_ws/setup.bash"
exec "$@"
