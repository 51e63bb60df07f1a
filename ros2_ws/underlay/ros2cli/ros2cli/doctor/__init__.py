"""What this ROS 2 set-up consists of, and what is wrong with it."""
