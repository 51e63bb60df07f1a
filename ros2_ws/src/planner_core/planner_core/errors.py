"""The error tree: every refusal carries a stable numeric code.

Codes are part of the public interface: they travel in ``planner_interfaces`` messages, in action
results and in logs, so a code is never reused or renumbered. The hundreds name the room: 1xx
configuration, 2xx worlds and goals, 3xx model bundles, 4xx planning, 5xx execution, 6xx robots,
7xx simulation, 8xx navigation outcome, 9xx recording and data sets.
"""

from __future__ import annotations

from typing import ClassVar

OK = 0
"""Code of success; no error carries it."""


class DriftpilotError(Exception):
    """An error that says what went wrong, what was found, what was expected, and what to do.

    Args:
        what: One clause that names the thing that went wrong.
        got: What was found.
        expected: What would have been accepted.
        remedy: What the reader can do about it.
    """

    code: ClassVar[int] = 1

    def __init__(
        self,
        what: str,
        *,
        got: object | None = None,
        expected: object | None = None,
        remedy: str | None = None,
    ) -> None:
        self.what = what
        self.got = got
        self.expected = expected
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        parts = [_brief(self.what)]
        if self.got is not None:
            parts.append(f"got {_brief(self.got)}")
        if self.expected is not None:
            parts.append(f"expected {_brief(self.expected)}")
        text = "; ".join(parts)
        if self.remedy is not None:
            text = f"{text}. {self.remedy}"
        return f"[E{self.code}] {text}"


def _brief(value: object) -> str:
    """What a reader can take in: a malformed file may hold megabytes where a number should be."""
    text = " ".join(line.strip() for line in str(value).splitlines())
    return text if len(text) <= 600 else f"{text[:300]}... ({len(text)} characters)"


class ConfigurationError(DriftpilotError):
    """A configuration that cannot be used."""

    code = 100


class UnknownParameterError(ConfigurationError):
    """A parameter name that the node does not declare."""

    code = 101


class InvalidParameterError(ConfigurationError):
    """A parameter value of the wrong type or outside its bounds."""

    code = 102


class ReadOnlyParameterError(ConfigurationError):
    """An attempt to change a parameter that is fixed once the node is configured."""

    code = 103


class UnknownPluginError(ConfigurationError):
    """A planner, robot or estimator name that nothing installed provides."""

    code = 104


class WorldError(DriftpilotError):
    """A world description that cannot be read or that no robot could cross."""

    code = 200


class GoalError(DriftpilotError):
    """A goal that the robot must not be sent to."""

    code = 210


class GoalOutsideFenceError(GoalError):
    """A goal outside the geofence."""

    code = 211


class GoalInObstacleError(GoalError):
    """A goal inside an obstacle or closer to one than the robot's radius."""

    code = 212


class GoalFrameError(GoalError):
    """A goal in a frame other than the robot's world frame."""

    code = 213


class WorldUnknownError(GoalError):
    """A goal that cannot be checked, because nobody has said where the obstacles are."""

    code = 214


class BundleError(DriftpilotError):
    """A model bundle that must not be used."""

    code = 300


class BundleFileError(BundleError):
    """A file of the bundle that is missing or cannot be read as what it should be."""

    code = 301


class BundleHashError(BundleError):
    """A model file other than the one that the manifest was written for."""

    code = 302


class BundleFieldError(BundleError):
    """A manifest field that is missing, unknown, or of the wrong type or range."""

    code = 303


class BundleMismatchError(BundleError):
    """A bundle made for another robot, another order of its joints, or other inputs."""

    code = 304


class PlanningError(DriftpilotError):
    """No plan can be made."""

    code = 400


class InvalidObservationError(PlanningError):
    """An observation that the planner cannot use: wrong arrays, or numbers that are not finite."""

    code = 401


class NoPathError(PlanningError):
    """No path leads from the robot to the goal."""

    code = 402


class StaleObservationError(PlanningError):
    """A state that is too old to plan from, or from the future."""

    code = 403


class EarlierGoalError(PlanningError):
    """A goal that was given before the planner server became active by itself."""

    code = 404


class PlannerBusyError(PlanningError):
    """A planner that is still at work on something else: a call that hangs, a model that loads."""

    code = 405


class PlannerExceptionError(PlanningError):
    """A planner that raised something other than one of these errors: a mistake in its code."""

    code = 406


class InvalidPlanError(PlanningError):
    """A planner whose plan is not one: NaN or infinity, or other degrees of freedom."""

    code = 407


class ExecutionError(DriftpilotError):
    """A plan or a command that must not reach the robot."""

    code = 500


class NonFiniteError(ExecutionError):
    """NaN or infinity in a plan."""

    code = 501


class PositionLimitError(ExecutionError):
    """A plan that leaves the geofence or the range of a joint."""

    code = 502


class VelocityLimitError(ExecutionError):
    """A plan faster than the robot's limit."""

    code = 503


class AccelerationLimitError(ExecutionError):
    """A plan with accelerations beyond the robot's limit."""

    code = 504


class PlanAgeError(ExecutionError):
    """A plan made from data that are too old, or that ends before it could be followed."""

    code = 505


class PlanOrderError(ExecutionError):
    """A plan older than the one in execution, or of an earlier goal."""

    code = 506


class FrameError(ExecutionError):
    """A plan, command or state in another frame than the robot's."""

    code = 507


class JointOrderError(ExecutionError):
    """A plan for other degrees of freedom, or in another order, than the robot's."""

    code = 508


class SpliceError(ExecutionError):
    """A plan that starts too far from where the robot is asked to be."""

    code = 509


class EmergencyStopError(ExecutionError):
    """Motion asked for while the emergency stop is latched, or a reset while its cause persists."""

    code = 510


class NoStateError(ExecutionError):
    """No state of the robot that may be acted upon."""

    code = 511


class JerkLimitError(ExecutionError):
    """A plan whose acceleration changes faster than the robot's limit."""

    code = 512


class StandbyError(ExecutionError):
    """The planner has no valid plan; its standby is followed."""

    code = 513


class NoPlanError(ExecutionError):
    """No valid plan is left; the robot brakes and stands."""

    code = 514


class MotionEndError(ExecutionError):
    """The robot has stood without a plan for too long; its motion is ended."""

    code = 515


class TimeJumpError(ExecutionError):
    """ROS time has jumped, or commands ceased: the plans' times mean nothing any more."""

    code = 516


class RobotError(DriftpilotError):
    """A robot that cannot do what it is asked to."""

    code = 600


class RobotConnectionError(RobotError):
    """No robot answers at the address, or not as one should."""

    code = 601


class LinkLostError(RobotError):
    """A robot that answered and no longer does."""

    code = 602


class NotReadyError(RobotError):
    """Motion asked of a robot that is not ready for it."""

    code = 603


class RobotFaultError(RobotError):
    """A robot that needs a person: crashed, locked, overturned."""

    code = 604


class FirmwareError(RobotError):
    """A robot whose firmware lacks what its bridge needs."""

    code = 605


class MissingDriverError(RobotError):
    """A vendor's library that is not installed."""

    code = 606


class EstimationError(DriftpilotError):
    """A measurement or a request that state estimation refuses."""

    code = 430


class InvalidMeasurementError(EstimationError):
    """A measurement that cannot be one: not finite, absurdly large, or a zero quaternion."""

    code = 431


class FutureMeasurementError(EstimationError):
    """A measurement stamped in the future: the clocks disagree."""

    code = 432


class LateMeasurementError(EstimationError):
    """A measurement, or a question, about a time that is no longer remembered."""

    code = 433


class MeasurementOrderError(EstimationError):
    """An IMU reading older than the last, or a measurement that came twice."""

    code = 434


class MeasurementFrameError(EstimationError):
    """A measurement in another frame than the robot's."""

    code = 435


class DatasetError(DriftpilotError):
    """A data set that cannot be made."""

    code = 920


class DatasetFileError(DatasetError):
    """A data set file that cannot be read or written, or is not what it says that it is."""

    code = 921


def error_codes() -> dict[int, type[DriftpilotError]]:
    """Every code of the tree, for the reference page and for tests.

    Returns:
        The error classes that are loaded, by code.

    Raises:
        ValueError: Two classes claim the same code.
    """
    codes: dict[int, type[DriftpilotError]] = {}
    pending: list[type[DriftpilotError]] = [DriftpilotError]
    while pending:
        cls = pending.pop()
        if cls.code in codes:
            raise ValueError(f"{cls.__name__} and {codes[cls.code].__name__} share {cls.code}")
        codes[cls.code] = cls
        pending.extend(cls.__subclasses__())
    return dict(sorted(codes.items()))
