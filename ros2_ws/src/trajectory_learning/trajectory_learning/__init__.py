"""Training, evaluation and export of the learned planners; runs off the robot."""

import planner_core  # noqa: F401  (before onnxruntime, so that it reports to nobody)

__version__ = "0.1.0"
