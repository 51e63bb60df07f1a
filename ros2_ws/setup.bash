# Usage: source ros2_ws/setup.bash
#
# Gives the shell in which `ros2 launch planner …` works. A sourced genuine ROS 2 is kept; else the
# wheel set is that of $ROS (jazzy or kilted), or Jazzy. No arguments: a sourced file sees those of
# the script that sources it. The set-up itself asks with DRIFTPILOT_BUILD=true for the shell to
# build in, which does not see what it is about to build.

_driftpilot_ws="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
_driftpilot_build="${DRIFTPILOT_BUILD:-false}"

_driftpilot_source() {
  if [ -f "$1" ]; then . "$1"; fi
}

# A genuine ROS 2 is one that is sourced and has its own launch_ros; stand-ins say that they are.
_driftpilot_genuine=false
for _driftpilot_prefix in ${AMENT_PREFIX_PATH//:/ }; do
  _driftpilot_manifest="$_driftpilot_prefix/share/launch_ros/package.xml"
  if [ -f "$_driftpilot_manifest" ] && ! grep -q driftpilot_stand_in "$_driftpilot_manifest"; then
    _driftpilot_genuine=true
  fi
done

if $_driftpilot_genuine; then
  _driftpilot_home="$_driftpilot_ws/.$ROS_DISTRO"
  export PATH="$_driftpilot_home/env/bin:$PATH"
  for _driftpilot_site in "$_driftpilot_home"/env/lib/python3*/site-packages; do
    export PYTHONPATH="$_driftpilot_site${PYTHONPATH:+:$PYTHONPATH}"
  done
  $_driftpilot_build || _driftpilot_source "$_driftpilot_ws/install/local_setup.bash"
else
  _driftpilot_distro="${ROS:-jazzy}"
  _driftpilot_home="$_driftpilot_ws/.$_driftpilot_distro"
  if [ ! -x "$_driftpilot_home/env/bin/python" ]; then
    echo "setup.bash: $_driftpilot_distro is not set up here; run: make setup ROS=$_driftpilot_distro" >&2
    return 1
  fi
  # Other environments, and an earlier sourcing of this one, must not shine through.
  unset PYTHONPATH PYTHONHOME LD_LIBRARY_PATH _ROS_WHEELS_BOOTSTRAP_COMPLETE COLCON_PREFIX_PATH
  case ":$PATH:" in
    *":$_driftpilot_home/env/bin:"*) ;;
    *) export PATH="$_driftpilot_home/env/bin:$PATH" ;;
  esac
  export VIRTUAL_ENV="$_driftpilot_home/env"
  export AMENT_PREFIX_PATH="$VIRTUAL_ENV" CMAKE_PREFIX_PATH="$VIRTUAL_ENV"
  export ROS_DISTRO="$_driftpilot_distro" ROS_VERSION=2 ROS_PYTHON_VERSION=3
  export ROS_AUTOMATIC_DISCOVERY_RANGE="${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}"
  # Nodes that find each other within a fraction of a second, and that listen no further than they
  # look for each other. A profile of one's own is kept. Fast DDS 2 and 3 read it from variables of
  # different names.
  _driftpilot_dds="${_driftpilot_ws%/*}/config/dds"
  case "$ROS_AUTOMATIC_DISCOVERY_RANGE" in
    LOCALHOST | OFF) _driftpilot_profile="$_driftpilot_dds/loopback.xml" ;;
    *) _driftpilot_profile="$_driftpilot_dds/network.xml" ;;
  esac
  if [ "$_driftpilot_distro" = jazzy ]; then
    _driftpilot_variable=FASTRTPS_DEFAULT_PROFILES_FILE
  else
    _driftpilot_variable=FASTDDS_DEFAULT_PROFILES_FILE
  fi
  case "${!_driftpilot_variable:-}" in
    "" | "$_driftpilot_dds"/loopback.xml | "$_driftpilot_dds"/network.xml)
      export "$_driftpilot_variable=$_driftpilot_profile" ;;
  esac
  _driftpilot_source "$_driftpilot_home/underlay/install/local_setup.bash"
  $_driftpilot_build || _driftpilot_source "$_driftpilot_home/src/install/local_setup.bash"
fi

unset -f _driftpilot_source
unset _driftpilot_ws _driftpilot_build _driftpilot_genuine _driftpilot_prefix _driftpilot_home \
  _driftpilot_manifest _driftpilot_site _driftpilot_distro _driftpilot_profile _driftpilot_dds \
  _driftpilot_variable
