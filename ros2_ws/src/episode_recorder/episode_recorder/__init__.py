"""Episodes: recorded as bags that survive a crash, and turned into data sets."""

__version__ = "0.1.0"
