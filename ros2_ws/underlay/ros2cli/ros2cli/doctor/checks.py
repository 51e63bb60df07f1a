"""What can be wrong with a set-up, and how to put it right."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ros2cli.doctor.facts import WORKSPACE_PACKAGE, Facts, leftover_size

_RANGES = ("SUBNET", "LOCALHOST", "OFF", "SYSTEM_DEFAULT")
_MAX_DOMAIN = 232
_LEFTOVER_LIMIT = 64 * 2**20
_SET_UP = "run `make setup`, then `source ros2_ws/setup.bash`"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong.

    Attributes:
        what: What was found, and what was expected.
        fix: What to do.
    """

    what: str
    fix: str


Check = Callable[[Facts], Problem | None]


def check_rclpy(facts: Facts) -> Problem | None:
    """The client library can be imported."""
    if facts.rclpy_version is None:
        return Problem(f"rclpy cannot be imported: {facts.rclpy_error}", _SET_UP)
    return None


def check_middleware(facts: Facts) -> Problem | None:
    """The middleware can be loaded."""
    if facts.rclpy_version is not None and facts.rmw is None:
        chosen = facts.environment.get("RMW_IMPLEMENTATION", "the default")
        return Problem(
            f"the middleware cannot be loaded: RMW_IMPLEMENTATION is {chosen}",
            "unset RMW_IMPLEMENTATION, or install that middleware",
        )
    return None


def check_distribution(facts: Facts) -> Problem | None:
    """The environment names a distribution."""
    if not facts.environment.get("ROS_DISTRO"):
        return Problem("ROS_DISTRO is not set: no ROS 2 is sourced in this shell", _SET_UP)
    return None


def check_prefixes(facts: Facts) -> Problem | None:
    """The install prefixes exist."""
    prefixes = [text for text in facts.environment.get("AMENT_PREFIX_PATH", "").split(":") if text]
    if not prefixes:
        return Problem("AMENT_PREFIX_PATH is empty: no package can be found", _SET_UP)
    missing = [text for text in prefixes if not Path(text).is_dir()]
    if missing:
        return Problem(
            f"AMENT_PREFIX_PATH names what does not exist: {', '.join(missing)}",
            "open a new shell and source the workspace again",
        )
    return None


def check_parts(facts: Facts) -> Problem | None:
    """The launch tools are there, and either all genuine or all stand-ins."""
    missing = [part.name for part in facts.parts if part.prefix is None]
    if missing:
        return Problem(f"not installed: {', '.join(missing)}", _SET_UP)
    if len({part.stand_in for part in facts.parts}) > 1:
        found = ", ".join(f"{part.name} is {part.origin}" for part in facts.parts)
        return Problem(
            f"genuine parts and stand-ins are mixed: {found}",
            "open a new shell, source either the genuine ROS 2 or the PyPI environment, "
            "and run `make setup` there",
        )
    return None


def check_launch_module(facts: Facts) -> Problem | None:
    """No unrelated package hides ``launch``."""
    if facts.foreign_launch is not None:
        return Problem(
            f"`import launch` finds another package of that name: {facts.foreign_launch}",
            "run `pip uninstall launch`, then `make setup`",
        )
    return None


def check_workspace(facts: Facts) -> Problem | None:
    """The workspace is built and sourced."""
    if facts.workspace_prefix is None:
        return Problem(
            f"the workspace is not built or not sourced: no package '{WORKSPACE_PACKAGE}'", _SET_UP
        )
    return None


def check_discovery(facts: Facts) -> Problem | None:
    """Nodes can find each other."""
    chosen = facts.environment.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    if chosen not in _RANGES:
        return Problem(
            f"ROS_AUTOMATIC_DISCOVERY_RANGE is '{chosen}', expected one of {', '.join(_RANGES)}",
            "export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST, or SUBNET for a robot on the network",
        )
    if chosen == "OFF":
        return Problem(
            "ROS_AUTOMATIC_DISCOVERY_RANGE is OFF: nodes do not see each other, even here",
            "export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST",
        )
    if facts.environment.get("ROS_LOCALHOST_ONLY") == "1" and chosen != "LOCALHOST":
        return Problem(
            f"ROS_LOCALHOST_ONLY=1 overrules ROS_AUTOMATIC_DISCOVERY_RANGE={chosen}",
            "unset ROS_LOCALHOST_ONLY: it is deprecated",
        )
    return None


def check_domain(facts: Facts) -> Problem | None:
    """The domain is a valid number."""
    if facts.domain is None or facts.domain > _MAX_DOMAIN:
        return Problem(
            f"ROS_DOMAIN_ID is '{facts.environment.get('ROS_DOMAIN_ID')}', "
            f"expected a number from 0 to {_MAX_DOMAIN}",
            "export ROS_DOMAIN_ID with a number from 0 to 101",
        )
    return None


def check_shared_memory(facts: Facts) -> Problem | None:
    """Killed processes have not filled the shared memory."""
    size = leftover_size(facts)
    if size > _LEFTOVER_LIMIT:
        return Problem(
            f"killed processes have left {size / 2**20:.0f} MiB in {len(facts.leftovers)} "
            "shared memory segments",
            "run `fastdds shm clean`, or remove /dev/shm/fastrtps_* while no node runs",
        )
    return None


CHECKS: dict[str, Check] = {
    "rclpy": check_rclpy,
    "middleware": check_middleware,
    "distribution": check_distribution,
    "prefixes": check_prefixes,
    "parts": check_parts,
    "launch module": check_launch_module,
    "workspace": check_workspace,
    "discovery": check_discovery,
    "domain": check_domain,
    "shared memory": check_shared_memory,
}


def find_problems(facts: Facts) -> dict[str, Problem]:
    """Run all checks and return those that failed, by name."""
    results = {name: check(facts) for name, check in CHECKS.items()}
    return {name: problem for name, problem in results.items() if problem is not None}
