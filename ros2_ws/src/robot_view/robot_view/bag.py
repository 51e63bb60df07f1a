"""A flight from a recorded bag, read without ROS."""

from __future__ import annotations

from pathlib import Path

from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.typesys import Stores, get_typestore

from robot_view.errors import ReportError
from robot_view.flight import Flight, FlightLog


def read_flight(
    path: Path, namespace: str = "", tolerance_m: float = 0.25, robot: str = ""
) -> Flight:
    """Read a bag.

    Args:
        path: Folder of the bag.
        namespace: Of the robot whose flight is read, e.g. ``cf1``.
        tolerance_m: Distance that counts as there, for goals that do not say.
        robot: Its name, for as long as no message says it.

    Raises:
        ReportError: There is no bag, it cannot be read, or it has none of the topics.
    """
    log = FlightLog(tolerance_m, robot)
    prefix = f"/{namespace.strip('/')}/" if namespace.strip("/") else "/"
    wanted = {prefix + topic: topic for topic in log.topics}
    try:
        with AnyReader([path], default_typestore=get_typestore(Stores.ROS2_JAZZY)) as reader:
            connections = [c for c in reader.connections if c.topic in wanted]
            if not connections:
                raise ReportError(
                    f"bag {path} holds no flight",
                    got=sorted({c.topic for c in reader.connections}),
                    expected=f"some of {sorted(wanted)}",
                    remedy="Name the robot's namespace, if it has one.",
                )
            for connection, _, data in reader.messages(connections=connections):
                message = reader.deserialize(data, connection.msgtype)
                log.add(wanted[connection.topic], message)
    except (AnyReaderError, OSError) as error:
        raise ReportError(
            f"bag {path} cannot be read", got=error, expected="a folder of `ros2 bag record`"
        ) from error
    return log.flight()
