"""Candidates as markers for RViz and Foxglove."""

from __future__ import annotations

from itertools import pairwise

from geometry_msgs.msg import Point
from planner_core.plan import PlanBatch
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

FEASIBLE = ColorRGBA(r=0.2, g=0.5, b=0.9, a=0.35)
INFEASIBLE = ColorRGBA(r=0.9, g=0.3, b=0.2, a=0.2)
BEST = ColorRGBA(r=0.1, g=0.7, b=0.3, a=1.0)


def candidate_markers(batch: PlanBatch, frame_id: str) -> MarkerArray:
    """Two line lists: all candidates, coloured by feasibility, and the chosen one."""
    every = Marker(type=Marker.LINE_LIST, ns="candidates", id=0, action=Marker.ADD)
    chosen = Marker(type=Marker.LINE_STRIP, ns="plan", id=0, action=Marker.ADD)
    for marker, width in ((every, 0.008), (chosen, 0.03)):
        marker.header.frame_id = frame_id
        marker.pose.orientation.w = 1.0
        marker.scale.x = width
    chosen.color = BEST
    for k, window in enumerate(batch.position[:, :, :3].tolist()):
        points = [Point(x=x, y=y, z=z) for x, y, z in window]
        if k == batch.best:
            chosen.points = points
        colour = FEASIBLE if batch.feasible[k] else INFEASIBLE
        for a, b in pairwise(points):
            every.points += [a, b]
            every.colors += [colour, colour]
    return MarkerArray(markers=[every, chosen])
