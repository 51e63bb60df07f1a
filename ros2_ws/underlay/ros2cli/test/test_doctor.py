"""The doctor: each check is provoked."""

from dataclasses import replace
from pathlib import Path

import pytest
from ros2_command import Ros2
from ros2cli.doctor.checks import CHECKS, find_problems
from ros2cli.doctor.facts import STAND_IN_PARTS, Facts, Part, find_part, report

HEALTHY = Facts(
    environment={
        "ROS_DISTRO": "jazzy",
        "AMENT_PREFIX_PATH": "/",
        "ROS_DOMAIN_ID": "7",
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
    },
    parts=tuple(Part(name, "0.1.0", Path("/"), stand_in=True) for name in STAND_IN_PARTS),
    rclpy_version="7.1.6",
    rclpy_error="",
    rmw="rmw_fastrtps_cpp",
    rmw_version="8.4.3",
    workspace_prefix=Path("/"),
    foreign_launch=None,
    leftovers=(),
)


def with_environment(**variables: str) -> Facts:
    return replace(HEALTHY, environment=dict(HEALTHY.environment) | variables)


def test_nothing_is_wrong_with_a_healthy_set_up() -> None:
    assert find_problems(HEALTHY) == {}


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("rclpy", replace(HEALTHY, rclpy_version=None, rmw=None, rclpy_error="no module")),
        ("middleware", replace(HEALTHY, rmw=None)),
        ("distribution", with_environment(ROS_DISTRO="")),
        ("prefixes", with_environment(AMENT_PREFIX_PATH="")),
        ("prefixes", with_environment(AMENT_PREFIX_PATH="/:/nowhere")),
        ("parts", replace(HEALTHY, parts=(*HEALTHY.parts[1:], Part("launch")))),
        (
            "parts",
            replace(HEALTHY, parts=(*HEALTHY.parts[1:], Part("launch", "3.4.0", Path("/")))),
        ),
        ("launch module", replace(HEALTHY, foreign_launch=Path("/launch/__init__.py"))),
        ("workspace", replace(HEALTHY, workspace_prefix=None)),
        ("discovery", with_environment(ROS_AUTOMATIC_DISCOVERY_RANGE="EVERYWHERE")),
        ("discovery", with_environment(ROS_AUTOMATIC_DISCOVERY_RANGE="OFF")),
        (
            "discovery",
            with_environment(ROS_AUTOMATIC_DISCOVERY_RANGE="SUBNET", ROS_LOCALHOST_ONLY="1"),
        ),
        ("domain", with_environment(ROS_DOMAIN_ID="seven")),
        ("domain", with_environment(ROS_DOMAIN_ID="233")),
    ],
)
def test_each_fault_is_found_alone(name: str, facts: Facts) -> None:
    problems = find_problems(facts)
    assert list(problems) == [name]
    assert problems[name].what
    assert problems[name].fix


def test_left_shared_memory_is_found(tmp_path: Path) -> None:
    segment = tmp_path / "fastrtps_1"
    with segment.open("wb") as file:
        file.truncate(65 * 2**20)
    assert list(find_problems(replace(HEALTHY, leftovers=(segment,)))) == ["shared memory"]


def test_a_stand_in_is_told_from_a_genuine_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package, marker in (("ours", "<driftpilot_stand_in/>"), ("theirs", "")):
        index = tmp_path / "share" / "ament_index" / "resource_index" / "packages"
        index.mkdir(parents=True, exist_ok=True)
        (index / package).touch()
        (tmp_path / "share" / package).mkdir()
        (tmp_path / "share" / package / "package.xml").write_text(
            f"<package><version>1.0.0</version><export>{marker}</export></package>"
        )
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    assert find_part("ours") == Part("ours", "1.0.0", tmp_path, stand_in=True)
    assert find_part("theirs").origin == "genuine"
    assert find_part("nope").origin == "missing"


def test_the_report_says_what_stands_in() -> None:
    sections = dict(report(HEALTHY))
    assert dict(sections["GENUINE OR STAND-IN"])["launch"] == "stand-in 0.1.0, /"
    assert dict(sections["ROS 2"])["rclpy"] == "7.1.6"
    assert dict(sections["DISCOVERY"])["range"] == "LOCALHOST"


def test_the_command_fails_with_the_fix(ros2: Ros2) -> None:
    broken = Ros2(ros2.environment | {"ROS_DOMAIN_ID": "seven"}, ros2.folder)
    result = broken.run("doctor", "--report")
    assert result.returncode == 1
    assert f"/{len(CHECKS)} check(s) failed\n" in result.stdout
    assert "domain: ROS_DOMAIN_ID is 'seven', expected a number" in result.stdout
    assert "  fix: export ROS_DOMAIN_ID" in result.stdout
    assert "   GENUINE OR STAND-IN\n" in result.stdout
