"""What ``ros2 doctor`` looks at, gathered without a node."""

import fcntl
import importlib.metadata
import importlib.util
import os
import platform
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_prefix

from ros2cli.local_participants import count_local_participants

# Parts that have no wheel: the workspace brings stand-ins for them.
STAND_IN_PARTS = ("launch", "launch_ros", "launch_testing", "ros2cli", "tf2_msgs")
# The package that tells that the workspace itself is sourced.
WORKSPACE_PACKAGE = "planner"
_STAND_IN_TAG = "driftpilot_stand_in"
_SHARED_MEMORY = Path("/dev/shm")
_VARIABLES = (
    "AMENT_PREFIX_PATH",
    "COLCON_PREFIX_PATH",
    "CYCLONEDDS_URI",
    "FASTDDS_BUILTIN_TRANSPORTS",
    "FASTRTPS_DEFAULT_PROFILES_FILE",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "RMW_IMPLEMENTATION",
    "ROS_AUTOMATIC_DISCOVERY_RANGE",
    "ROS_DISTRO",
    "ROS_DOMAIN_ID",
    "ROS_LOCALHOST_ONLY",
    "ROS_LOG_DIR",
    "ROS_PYTHON_VERSION",
    "ROS_STATIC_PEERS",
    "ROS_VERSION",
    "VIRTUAL_ENV",
)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of ROS 2 that may be genuine or stand in.

    Attributes:
        name: Its package.
        version: From its manifest; empty if it is missing.
        prefix: Where it is installed; None if it is missing.
        stand_in: Whether it is this workspace's own.
    """

    name: str
    version: str = ""
    prefix: Path | None = None
    stand_in: bool = False

    @property
    def origin(self) -> str:
        """In one word, where it comes from."""
        if self.prefix is None:
            return "missing"
        return "stand-in" if self.stand_in else "genuine"


@dataclass(frozen=True, slots=True)
class Facts:
    """A set-up as it was found.

    Attributes:
        environment: All environment variables.
        parts: The parts that may be genuine or stand in.
        rclpy_version: None if rclpy cannot be imported.
        rclpy_error: Why not.
        rmw: Identifier of the middleware in use; None if it cannot be loaded.
        rmw_version: Its version; empty if unknown.
        workspace_prefix: Install prefix of the workspace; None if it is not sourced.
        foreign_launch: A module named launch that is not the part of that name; None if none.
        leftovers: Shared memory segments whose process has gone.
    """

    environment: Mapping[str, str]
    parts: tuple[Part, ...]
    rclpy_version: str | None
    rclpy_error: str
    rmw: str | None
    rmw_version: str
    workspace_prefix: Path | None
    foreign_launch: Path | None
    leftovers: tuple[Path, ...]

    @property
    def domain(self) -> int | None:
        """The domain; None if the variable is not a number."""
        text = self.environment.get("ROS_DOMAIN_ID") or "0"
        return int(text) if text.isdecimal() else None


def gather() -> Facts:
    """Look at the set-up of this process."""
    rclpy_version, rclpy_error = _rclpy()
    rmw = _rmw() if rclpy_version is not None else None
    parts = tuple(find_part(name) for name in STAND_IN_PARTS)
    workspace = find_part(WORKSPACE_PACKAGE)
    return Facts(
        environment=dict(os.environ),
        parts=parts,
        rclpy_version=rclpy_version,
        rclpy_error=rclpy_error,
        rmw=rmw,
        rmw_version=find_part(rmw).version if rmw else "",
        workspace_prefix=workspace.prefix,
        foreign_launch=_foreign_launch(),
        leftovers=tuple(_leftovers()),
    )


def find_part(name: str) -> Part:
    """Look a package up in the ament index."""
    try:
        prefix = Path(get_package_prefix(name))
    except (PackageNotFoundError, LookupError):
        return Part(name)
    manifest = prefix / "share" / name / "package.xml"
    if not manifest.is_file():
        return Part(name, "unknown", prefix)
    root = ElementTree.parse(manifest).getroot()
    version = root.findtext("version", "unknown").strip()
    return Part(name, version, prefix, root.find(f"export/{_STAND_IN_TAG}") is not None)


def report(facts: Facts) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the sections of ``ros2 doctor --report``: a title, and names with values."""
    environment = facts.environment
    domain = facts.domain
    return [
        (
            "PLATFORM",
            [
                ("system", platform.platform()),
                ("python", f"{platform.python_version()} ({sys.executable})"),
            ],
        ),
        (
            "ROS 2",
            [
                ("distribution", environment.get("ROS_DISTRO", "not set")),
                ("rclpy", facts.rclpy_version or f"missing: {facts.rclpy_error}"),
                ("middleware", f"{facts.rmw or 'none'} {facts.rmw_version}".strip()),
                ("workspace", str(facts.workspace_prefix or "not sourced")),
            ],
        ),
        (
            "GENUINE OR STAND-IN",
            [
                (part.name, f"{part.origin} {part.version}, {part.prefix}")
                if part.prefix
                else (part.name, part.origin)
                for part in facts.parts
            ],
        ),
        (
            "DISCOVERY",
            [
                ("range", environment.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET (default)")),
                ("domain", environment.get("ROS_DOMAIN_ID", "0 (default)")),
                (
                    "participants here",
                    "unknown" if domain is None else str(count_local_participants(domain)),
                ),
                ("shared memory left", f"{len(facts.leftovers)} files, {leftover_size(facts)} B"),
            ],
        ),
        (
            "ENVIRONMENT",
            [(name, environment[name]) for name in _VARIABLES if name in environment],
        ),
    ]


def leftover_size(facts: Facts) -> int:
    """Return the size of the shared memory that dead processes left [B]."""
    return sum(path.stat().st_size for path in facts.leftovers if path.exists())


def _rclpy() -> tuple[str | None, str]:
    try:
        import rclpy  # noqa: F401
    except ImportError as error:
        return None, str(error)
    for name in ("rclpy", "ros-rclpy"):
        try:
            return importlib.metadata.version(name), ""
        except importlib.metadata.PackageNotFoundError:
            continue
    return find_part("rclpy").version or "unknown", ""


def _rmw() -> str | None:
    from rclpy.utilities import get_rmw_implementation_identifier

    try:
        return get_rmw_implementation_identifier()
    except Exception:
        # rclpy raises what its C layer gives it; the check says what to do.
        return None


def _foreign_launch() -> Path | None:
    """Return the `launch` that would be imported, if it is an unrelated package of that name."""
    spec = importlib.util.find_spec("launch")
    if spec is None or spec.origin is None:
        return None
    origin = Path(spec.origin)
    # The launch of ROS has this module.
    return None if (origin.parent / "launch_service.py").is_file() else origin


def _leftovers() -> list[Path]:
    """Return segments whose lock nobody holds: their process was killed."""
    found = []
    for lock in sorted(_SHARED_MEMORY.glob("fastrtps_*_el")):
        segment = lock.with_name(lock.name.removesuffix("_el"))
        # Ports are taken over by the next process; only segments pile up.
        if not segment.name.startswith("fastrtps_port") and segment.exists() and _is_free(lock):
            found.append(segment)
    return found


def _is_free(lock: Path) -> bool:
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False  # held, gone meanwhile, or another user's
    return True
