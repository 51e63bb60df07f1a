"""Training, evaluation and export of the learned planners; runs off the robot."""

__version__ = "0.1.0"
