"""What the stand-in leaves out is refused by name, and the genuine packages are not hidden."""

import importlib
import os
import runpy
from pathlib import Path

import pytest

GUARD = Path(__file__).resolve().parents[2] / "guard.py"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("launch", "frontend"),
        ("launch.actions", "ForEach"),
        ("launch.conditions", "AndCondition"),
        ("launch.events.process", "ProcessStdin"),
        ("launch.launch_description_sources", "FrontendLaunchDescriptionSource"),
        ("launch.logging", "handlers"),
        ("launch.substitutions", "FileContent"),
        ("launch.utilities", "type_utils"),
    ],
)
def test_genuine_names_are_refused_by_name(module: str, name: str) -> None:
    with pytest.raises(ImportError, match=f"'{name}' is part of the genuine launch but not of"):
        getattr(importlib.import_module(module), name)


def test_names_that_nobody_has_are_ordinary_errors() -> None:
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = importlib.import_module("launch").no_such_thing


def test_the_frontend_is_refused() -> None:
    with pytest.raises(ImportError, match=r"'launch\.frontend' is part of the genuine launch"):
        importlib.import_module("launch.frontend")


def test_unknown_keywords_are_refused() -> None:
    from launch.actions import ExecuteProcess, OpaqueFunction
    from launch.event_handlers import OnProcessIO

    with pytest.raises(TypeError, match="respawn_forever"):
        ExecuteProcess(cmd=["true"], respawn_forever=True)
    with pytest.raises(TypeError, match="name_of_it"):
        OpaqueFunction(function=print, name_of_it="x")
    with pytest.raises(NotImplementedError, match="on_stdin"):
        OnProcessIO(on_stdin=print)


@pytest.mark.parametrize(
    ("export", "refused"), [("", True), ("<export><driftpilot_stand_in/></export>", False)]
)
def test_the_guard_knows_its_own(tmp_path, monkeypatch, capsys, export: str, refused: bool) -> None:
    refuse_where_genuine = runpy.run_path(str(GUARD))["refuse_where_genuine"]
    share = tmp_path / "share" / "launch"
    share.mkdir(parents=True)
    (share / "package.xml").write_text(f"<package><name>launch</name>{export}</package>")
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"/nowhere{os.pathsep}{os.pathsep}{tmp_path}")
    refuse_where_genuine("launch_ros")
    if refused:
        with pytest.raises(SystemExit, match="1"):
            refuse_where_genuine("launch")
        assert "the genuine package 'launch' is installed in" in capsys.readouterr().err
    else:
        refuse_where_genuine("launch")
