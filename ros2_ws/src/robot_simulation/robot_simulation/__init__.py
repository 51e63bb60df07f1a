"""Simulated robots: own MuJoCo models behind the robots' own protocols."""
