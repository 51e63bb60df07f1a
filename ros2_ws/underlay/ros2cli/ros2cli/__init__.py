"""The ``ros2`` command where ROS 2 comes from PyPI wheels.

Only what a user or a script needs of the Jazzy tool, under the same verbs, arguments and output.
Nothing here imports rclpy before a verb that talks to the graph runs.
"""
