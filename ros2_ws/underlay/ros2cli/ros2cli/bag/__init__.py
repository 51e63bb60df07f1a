"""Recording, describing and playing bags: MCAP files that the genuine rosbag2 reads."""
