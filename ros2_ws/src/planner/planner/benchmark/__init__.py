"""Figures of the whole system, each by one command: `python -m planner.benchmark --help`."""
