"""What plans, checks and estimates, without ROS."""

import os

# Since 1.29 onnxruntime writes a database and reports each session to its maker, from a thread of
# its own, unless this is set before it is imported: nothing for the process that moves a robot.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
