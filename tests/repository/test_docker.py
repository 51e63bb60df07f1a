"""The images, as far as a machine without a container engine can prove them: lint, own steps."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
DOCKER = REPOSITORY / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
STEPS = re.findall(r"^(\w+)\(\) \{", (DOCKER / "install.sh").read_text(), flags=re.M)
IMAGES = ("cpu", "cuda", "jetson")


def instructions(stage: str | None = None) -> list[tuple[str, str]]:
    """Instruction and arguments of each line, of one stage or of all."""
    found, current = [], ""
    for line in DOCKERFILE.replace("\\\n", " ").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.partition(" ")
        if name == "FROM":
            current = rest.split(" AS ")[1]
        if stage in (None, current):
            found.append((name, rest))
    return found


def test_hadolint_has_nothing_to_say() -> None:
    command = ["hadolint", "--no-color", "--failure-threshold", "style", str(DOCKER / "Dockerfile")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_compose_file_keeps_its_schema() -> None:
    command = ["check-jsonschema", "--builtin-schema", "vendor.compose-spec"]
    command += [str(DOCKER / "compose.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_step_is_one_of_the_script() -> None:
    runs = [rest for name, rest in instructions() if name == "RUN"]
    steps = [re.fullmatch(r"\S*docker/install\.sh (\w+)( .*)?", run) for run in runs]
    assert all(steps), runs
    assert {step[1] for step in steps if step} == set(STEPS) - {"packages"}


def test_base_images_are_pinned() -> None:
    stages = set()
    for name, rest in instructions():
        if name == "FROM":
            base, _, stage = rest.partition(" AS ")
            assert base in stages or re.search(r":(?!latest).*\d", base) or "jazzy" in base, base
            stages.add(stage)
    assert set(IMAGES) <= stages


@pytest.mark.parametrize("image", IMAGES)
def test_images_run_as_nobody_in_particular(image: str) -> None:
    lines = dict(instructions(image))
    assert lines["USER"] == "10001:10001"
    assert lines["ENTRYPOINT"] == '["/opt/driftpilot/docker/entrypoint.sh"]'
    assert json.loads(lines["CMD"])[0] == "ros2"


def test_what_is_copied_exists_and_reaches_the_builder() -> None:
    ignore = (REPOSITORY / ".dockerignore").read_text().splitlines()
    admitted = {line[1:] for line in ignore if line.startswith("!")}
    for path in admitted:
        assert (REPOSITORY / path).exists(), path
    for name, rest in instructions():
        if name == "COPY" and not rest.startswith("--from="):
            source = rest.split()[0]
            assert source == "." or source.split("/")[0] in admitted, source
    # Nothing that a build here leaves, and no secret that lies beside the sources.
    assert ignore[1] == "*"
    assert not admitted & {".", "bags", "reports", "ros2_ws", ".git", ".env"}


def test_nothing_but_the_view_is_reached_and_only_from_here() -> None:
    services = COMPOSE["services"]
    assert set(services) == {"simulation", "planner", "viewer"}
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports == ["127.0.0.1:8080:8080"]
    for service in services.values():
        assert service["user"] == "10001:10001"
        assert service["cap_drop"] == ["ALL"]
        assert not {"privileged", "secrets", "env_file", "volumes"} & set(service)
        assert service.get("network_mode", "service:simulation") == "service:simulation"


@pytest.fixture
def clean_root(tmp_path: Path) -> Path:
    """What the builder sees before its first step: no environment, no build."""
    for name in ("docker", "requirements"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    (tmp_path / "ros2_ws").mkdir()
    shutil.copy(REPOSITORY / "ros2_ws" / "setup.bash", tmp_path / "ros2_ws")
    return tmp_path


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without its Python environment."""
    dropped = {"VIRTUAL_ENV", "PYTHONPATH", "LD_LIBRARY_PATH", "_ROS_WHEELS_BOOTSTRAP_COMPLETE"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    here = str(Path(sys.prefix) / "bin")
    kept["PATH"] = ":".join(part for part in kept["PATH"].split(":") if part != here)
    return kept | more


def test_the_python_packages_are_to_be_had(clean_root: Path) -> None:
    """The step `python` in a new environment, but for dependencies and the installation itself.

    Both are done for the tests' own environment, from the same files.
    """
    environment = clean_environment(PIP_DRY_RUN="1", PIP_NO_DEPS="1")
    done = subprocess.run(
        ["docker/install.sh", "python"], cwd=clean_root, env=environment, capture_output=True,
        text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    would = re.search(r"Would install (.*)", done.stdout)
    assert would is not None, done.stdout[-2000:]
    found = would[1].lower().replace("_", "-")
    for line in (REPOSITORY / "requirements" / "run.txt").read_text().splitlines():
        # What the system has already, as on the genuine base, is named in another line.
        wanted = line.split("#")[0].strip()
        there = f"Requirement already satisfied: {wanted}" in done.stdout
        assert not wanted or there or wanted.replace("==", "-").lower() in found, line
    assert "torch" not in found


@pytest.mark.study
def test_the_python_packages_install_in_a_clean_environment(clean_root: Path) -> None:
    subprocess.run(
        ["docker/install.sh", "python"], cwd=clean_root, env=clean_environment(), check=True
    )
    python = next((clean_root / "ros2_ws").glob(".*/env/bin/python"))
    code = "import cflib, mujoco, onnxruntime, rosbags, scipy, viser"
    subprocess.run([python, "-c", code], env=clean_environment(), check=True)


def test_the_workspace_builds_in_a_clean_root(clean_root: Path) -> None:
    """The step `build`, for one package; the environment is that of this checkout."""
    distro = os.environ["ROS_DISTRO"]
    (clean_root / "ros2_ws" / f".{distro}").symlink_to(REPOSITORY / "ros2_ws" / f".{distro}")
    package = "planner_core"
    shutil.copytree(
        REPOSITORY / "ros2_ws" / "src" / package, clean_root / "ros2_ws" / "src" / package,
        ignore=shutil.ignore_patterns("test", "__pycache__"),
    )  # fmt: skip
    done = subprocess.run(
        ["docker/install.sh", "build", "--packages-select", package], cwd=clean_root,
        env=clean_environment(ROS=distro), capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    install = clean_root / "ros2_ws" / "install"
    assert (install / "local_setup.bash").exists()
    assert list(install.rglob("planner_core/executor.py"))
    assert not (clean_root / "ros2_ws" / "build").exists()


def free_port(kind: socket.SocketKind) -> int:
    """A port that nobody on this machine uses."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Services:
    """The services of the compose file, by its own commands, in the shell of the entry point.

    A container has its ports to itself; here others may use the same.

    Args:
        folder: Home of their user, and place of their logs.
        ros_domain: Domain of their graph.
    """

    def __init__(self, folder: Path, ros_domain: int) -> None:
        view, self._radio = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
        self._places = (("/opt/driftpilot", str(REPOSITORY)), ("8080", str(view)))
        self._folder = folder
        self._environment = clean_environment(
            ROS_DOMAIN_ID=str(ros_domain), ROS=os.environ["ROS_DISTRO"], HOME=str(folder),
            ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST",
        )  # fmt: skip
        self.running: dict[str, subprocess.Popen[str]] = {}

    def here(self, words: list[str]) -> list[str]:
        """A command with the paths and ports of this machine."""
        for there, place in self._places:
            words = [word.replace(there, place) for word in words]
        return words

    def start(self, name: str) -> None:
        """Start a service."""
        arguments = [f"port:={self._radio}"] if name == "simulation" else []
        command = ["/opt/driftpilot/docker/entrypoint.sh", *COMPOSE["services"][name]["command"]]
        with (self._folder / f"{name}.log").open("w") as log:
            self.running[name] = subprocess.Popen(
                self.here(command) + arguments, env=self._environment, cwd=self._folder,
                stdout=log, stderr=subprocess.STDOUT, text=True, start_new_session=True,
            )  # fmt: skip

    def healthy(self, name: str) -> bool:
        """What the service's health check says."""
        kind, *command = COMPOSE["services"][name]["healthcheck"]["test"]
        assert kind == "CMD"
        done = subprocess.run(
            self.here(command), env=self._environment, capture_output=True, check=False
        )
        return done.returncode == 0

    def log(self, name: str) -> str:
        """What a service has said."""
        return (self._folder / f"{name}.log").read_text()

    def stop(self) -> None:
        """End all of them, the robot last."""
        for process in reversed(self.running.values()):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
        for process in self.running.values():
            process.wait(timeout=60)


@pytest.fixture
def services(ros_domain: int, tmp_path: Path, wait_until: Any) -> Iterator[Services]:
    """All services, in the order and under the conditions of the compose file."""
    services = Services(tmp_path, ros_domain)
    try:
        services.start("simulation")
        services.start("viewer")
        for name in ("simulation", "viewer"):
            wait_until(lambda name=name: services.healthy(name), f"{name} is healthy", 200.0)
        services.start("planner")
        yield services
    finally:
        services.stop()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_services_find_each_other(services: Services, wait_until: Any) -> None:
    """The mission has heard the robot's state and sent its goal; whether it arrives, see below."""
    wait_until(lambda: "goal" in services.log("planner"), "a goal is sent", 150.0)


@pytest.mark.study
def test_the_services_fly_together(services: Services, wait_until: Any) -> None:
    planner = services.running["planner"]
    wait_until(lambda: planner.poll() is not None, "the flight is over", 120.0)
    text = services.log("planner")
    assert re.search(r"success rate +1\.00", text), text[-3000:]
