"""The Go2 walks at the commanded speed: simulation, walking policy, data, planners."""
