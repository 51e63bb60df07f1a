#!/usr/bin/env python3
"""Make the workspace ready: environment, underlay, packages.

Idempotent and incremental: each step leaves a fingerprint of what it was made from, is skipped
while that stands, and is simply done again after an interruption. Where a genuine ROS 2 is sourced,
its own packages are used; elsewhere ROS 2 comes from PyPI wheels, and ``ros2_ws/underlay`` stands
in for the launch tools, which have none.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORKSPACE = ROOT / "ros2_ws"
STAND_IN = "driftpilot_stand_in"
DISTROS = ("jazzy", "kilted")
PURPOSES = {
    "demo": ("run", "crazyflie"),
    "go2": ("run", "crazyflie", "go2"),
    "so100": ("run", "crazyflie", "training", "so100"),
    "test": ("run", "crazyflie", "go2", "training", "so100", "docs", "test"),
}
# Complete lists, installed after the others as they stand: lerobot's own would exchange torch.
WITHOUT_DEPENDENCIES = {"so100"}
# Sources whose change does not call for a build, since packages are installed by symbolic links.
LINKED_SUFFIXES = {".py", ".yaml", ".md", ".onnx"}


class SetupError(Exception):
    """A set-up that cannot go on; the message says what to do."""


@dataclass(frozen=True)
class Place:
    """Where the parts of one set-up live, all inside the repository and ignored by git.

    Attributes:
        ros: Name of the distribution.
        genuine: Whether a sourced ROS 2 provides it.
    """

    ros: str
    genuine: bool

    @property
    def home(self) -> Path:
        return WORKSPACE / f".{self.ros}"

    @property
    def environment(self) -> Path:
        return self.home / "env"

    @property
    def python(self) -> Path:
        return self.environment / "bin" / "python"

    def bases(self, layer: str) -> list[str]:
        """colcon's output folders for a layer of the workspace."""
        # A plain `colcon build` in ros2_ws, as users of a genuine ROS 2 run it, and this tool share
        # their results there.
        home = WORKSPACE if self.genuine else self.home / layer
        return [f"--build-base={home / 'build'}", f"--install-base={home / 'install'}"]


def find_genuine_ros() -> str | None:
    """Name of the sourced ROS 2 distribution that has its own launch_ros, or None.

    A stand-in says so in its package.xml, also that of another checkout which is sourced.
    """
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        manifest = Path(prefix, "share", "launch_ros", "package.xml")
        if prefix and manifest.is_file() and STAND_IN not in manifest.read_text():
            return os.environ.get("ROS_DISTRO", "system")
    return None


def require_system_tools() -> None:
    """Stop with the command that installs what is missing."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    missing = [tool for tool in ("cmake", "g++", "make") if shutil.which(tool) is None]
    if importlib.util.find_spec("ensurepip") is None:
        missing.append(f"{version}-venv")
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        missing.append(f"{version}-dev")
    if missing:
        raise SetupError(
            f"missing on this machine: {', '.join(missing)}\n"
            f"install with: sudo apt-get install -y {' '.join(missing)}"
        )
    if sys.version_info[:2] not in ((3, 11), (3, 12)):
        raise SetupError(f"Python 3.11 or 3.12 is needed, this is {sys.version.split()[0]}")


def fingerprint(parts: Iterable[str | Path]) -> str:
    """Hash of strings, and of the paths and contents of files."""
    digest = hashlib.sha256(sys.version.encode())
    for part in parts:
        digest.update(str(part).encode())
        if isinstance(part, Path) and part.is_file():
            digest.update(part.read_bytes())
    return digest.hexdigest()


class Stamps:
    """Which steps stand, by the fingerprint of what they were made from.

    Args:
        path: File that keeps them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done: dict[str, str] = {}
        if path.exists():
            self._done = json.loads(path.read_text())

    def stands(self, step: str, value: str) -> bool:
        """Whether the step was finished from the same inputs."""
        return self._done.get(step) == value

    def finished(self, step: str, value: str) -> None:
        """Record a finished step."""
        self._done[step] = value
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_suffix(".new")
        temporary.write_text(json.dumps(self._done, indent=1))
        os.replace(temporary, self._path)


def run(command: list[str], environment: dict[str, str], log: Path) -> None:
    """Run a command quietly; on failure show the end of its output."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        code = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        ).returncode
    if code:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-40:])
        raise SetupError(f"{tail}\n\nfailed with code {code}: {' '.join(command)}\nlog: {log}")


def requirement_files(place: Place, purpose: str) -> list[Path]:
    """The requirement files of a purpose, constraints last."""
    names = list(PURPOSES[purpose])
    if not place.genuine:
        names = [place.ros, "build", *names]
    return [ROOT / "requirements" / f"{name}.txt" for name in [*names, "constraints"]]


def install_environment(place: Place, purpose: str, stamps: Stamps) -> None:
    """Create the virtual environment and install the pinned packages into it."""
    # An environment made for the tests serves the demo as well.
    for other, names in PURPOSES.items():
        if set(PURPOSES[purpose]) <= set(names) and stamps.stands(
            f"environment for {other}", fingerprint(requirement_files(place, other))
        ):
            return
    folder = place.environment.relative_to(ROOT)
    print(f"== Python environment for {purpose} in {folder}", flush=True)
    if not place.python.exists():
        shutil.rmtree(place.environment, ignore_errors=True)
        extra = ["--system-site-packages"] if place.genuine else []
        command = [sys.executable, "-m", "venv", *extra, str(place.environment)]
        run(command, clean_environment(), place.home / "log" / "venv.log")
    *files, constraints = requirement_files(place, purpose)
    pip = [str(place.python), "-m", "pip", "install", "--disable-pip-version-check"]
    pip += ["--progress-bar", "off"]
    complete = [file for file in files if file.stem in WITHOUT_DEPENDENCIES]
    resolved = [pair for file in files if file not in complete for pair in ("-r", str(file))]
    log = place.home / "log"
    run([*pip, "-c", str(constraints), *resolved], clean_environment(), log / f"pip-{purpose}.log")
    for file in complete:
        command = [*pip, "--no-deps", "-r", str(file)]
        run(command, clean_environment(), log / f"pip-{file.stem}.log")
    if not place.genuine:
        patch_cmake_files(place.environment)
    stamp = fingerprint([*files, constraints])
    stamps.finished(f"environment for {purpose}", stamp)


def clean_environment() -> dict[str, str]:
    """This process's environment without the traces of another Python environment."""
    dropped = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "_ROS_WHEELS_BOOTSTRAP_COMPLETE"}
    kept = {k: v for k, v in os.environ.items() if k not in dropped}
    # A sourced genuine ROS 2 lives in PYTHONPATH, and is wanted.
    if find_genuine_ros() and "PYTHONPATH" in os.environ:
        kept["PYTHONPATH"] = os.environ["PYTHONPATH"]
    return kept


def patch_cmake_files(environment: Path) -> None:
    """Replace the wheels' build-time include folders by those of this machine.

    The CMake files of the wheels name the Python and numpy of the machine that built them. Each is
    replaced by a new file: package caches may share the old one by hard links.
    """
    python = environment / "bin" / "python"
    query = "import numpy, sysconfig as s; print(s.get_path('include'), numpy.get_include())"
    paths = subprocess.run([python, "-c", query], check=True, capture_output=True, text=True)
    python_include, numpy_include = paths.stdout.split()
    baked = "/opt/python/"
    for file in environment.glob("share/*/cmake/*.cmake"):
        text = file.read_text(errors="surrogateescape")
        if baked not in text:
            continue
        fields = []
        for field in text.split(";"):
            head, found, tail = field.partition(baked)
            if found:
                end = min((i for i in map(tail.find, '"; )\n') if i >= 0), default=len(tail))
                include = numpy_include if "numpy" in tail[:end] else python_include
                field = head + include + tail[end:]
            fields.append(field)
        temporary = file.with_suffix(".patched")
        temporary.write_text(";".join(fields), errors="surrogateescape")
        os.replace(temporary, file)


def package_files(package: Path) -> list[Path]:
    """The files of a package that call for a build when they change, come or go."""
    kept = []
    # The planner package links to the folders at the top of the repository.
    for folder, folders, names in os.walk(package, followlinks=True):
        folders[:] = sorted(
            f for f in folders if not f.startswith(".") and f not in ("__pycache__", "test")
        )
        kept += [Path(folder, name) for name in sorted(names) if not name.endswith(".pyc")]
    return kept


def package_fingerprint(package: Path) -> str:
    """Hash of what a build of the package depends on."""
    files = package_files(package)
    # Links make edits of these visible at once; their coming and going does not.
    linked = [p for p in files if p.suffix in LINKED_SUFFIXES and p.name != "setup.py"]
    built = [p for p in files if p not in linked]
    return fingerprint([*built, *map(str, linked), ROOT / "colcon.meta"])


def build_layer(place: Place, layer: str, stamps: Stamps) -> None:
    """Build the packages of a layer that changed since they were last built."""
    source = WORKSPACE / layer
    packages = {p.parent.name: p.parent for p in sorted(source.glob("*/package.xml"))}
    changed = {}
    for name, folder in packages.items():
        stamp = package_fingerprint(folder)
        if not stamps.stands(f"{layer}/{name}", stamp):
            changed[name] = stamp
    if not changed:
        return
    print(f"== {layer}: building {', '.join(changed)}", flush=True)
    # What a failed or interrupted build left half done is built again with all that needs it.
    command = ["colcon", f"--log-base={place.home / 'log' / layer}", "build", "--symlink-install"]
    command += place.bases(layer)
    if not place.genuine:
        command += ["--merge-install"]
    command += ["--paths", *map(str, packages.values()), "--packages-select", *changed]
    command += ["--cmake-args", "-DBUILD_TESTING=OFF", "--no-warn-unused-cli"]
    script = f"source {WORKSPACE}/setup.bash && exec {' '.join(command)}"
    environment = clean_environment() | {"ROS": place.ros, "DRIFTPILOT_BUILD": "true"}
    run(["bash", "-c", script], environment, place.home / "log" / f"build-{layer}.log")
    for name, stamp in changed.items():
        stamps.finished(f"{layer}/{name}", stamp)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--for", dest="purpose", choices=PURPOSES, default="demo")
    parser.add_argument("--ros", choices=DISTROS, default="jazzy", help="wheel set, where no ROS 2")
    arguments = parser.parse_args()
    began = time.monotonic()
    try:
        require_system_tools()
        genuine = find_genuine_ros()
        place = Place(genuine or arguments.ros, genuine is not None)
        if genuine:
            print(f"== genuine ROS 2 {genuine} found: no stand-ins are built")
        place.home.mkdir(exist_ok=True)
        (place.home / "COLCON_IGNORE").touch()
        stamps = Stamps(place.home / "stamps.json")
        install_environment(place, arguments.purpose, stamps)
        if not genuine:
            build_layer(place, "underlay", stamps)
        build_layer(place, "src", stamps)
    except SetupError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nset-up: interrupted; run it again to go on", file=sys.stderr)
        return 130
    if (elapsed := time.monotonic() - began) > 5:
        print(f"== ready after {elapsed:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
