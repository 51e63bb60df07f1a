#!/usr/bin/env bash
# The steps of the images, one a call: docker/install.sh STEP
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
distro="${ROS_DISTRO:-jazzy}"
environment="$root/ros2_ws/.$distro/env" # where ros2_ws/setup.bash looks for it
pip=("$environment/bin/python" -m pip install --no-cache-dir --disable-pip-version-check)
pip+=(-c "$root/requirements/constraints.txt")

# apt-get install NAME…, nothing left behind
packages() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get update
  apt-get install -y --no-install-recommends "$@"
  rm -rf /var/lib/apt/lists/*
}

build_tools() { # what the workspace is built with
  packages build-essential cmake python3-colcon-common-extensions python3-dev python3-venv
}

ros() { # ROS 2 on a base image that has its package source
  packages "ros-$distro-ros-base"
}

python() { # the pinned Python packages, in an environment that sees those of ROS 2
  python3 -m venv --system-site-packages "$environment"
  touch "$root/ros2_ws/.$distro/COLCON_IGNORE"
  "${pip[@]}" -r "$root/requirements/run.txt" -r "$root/requirements/crazyflie.txt"
}

cuda() { # the onnxruntime that has CUDA and TensorRT in place of the one that has not
  "$environment/bin/python" -m pip uninstall -y onnxruntime
  "${pip[@]}" -r "$root/requirements/gpu.txt"
}

jetson() { # the vendor's onnxruntime, where one is named: an address or a path of a wheel
  if [ -n "${1:-}" ]; then
    "$environment/bin/python" -m pip uninstall -y onnxruntime
    "${pip[@]}" "$1"
  fi
}

build() { # colcon build, as on any machine with a genuine ROS 2
  # ROS's file reads variables that may be unset.
  set +u
  if [ -f "/opt/ros/$distro/setup.bash" ]; then . "/opt/ros/$distro/setup.bash"; fi
  DRIFTPILOT_BUILD=true . "$root/ros2_ws/setup.bash"
  set -u
  cd "$root"
  colcon --log-base ros2_ws/log build --base-paths ros2_ws/src --build-base ros2_ws/build \
    --install-base ros2_ws/install --cmake-args -DBUILD_TESTING=OFF --no-warn-unused-cli "$@"
  rm -rf ros2_ws/build ros2_ws/log
}

user() { # who the nodes run as: nobody in particular
  useradd --create-home --uid 10001 pilot
}

step="${1:?a step: build_tools, ros, python, cuda, jetson, build or user}"
shift
"$step" "$@"
