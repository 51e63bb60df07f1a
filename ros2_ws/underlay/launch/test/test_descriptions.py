"""Arguments, scopes, includes, conditions and substitutions."""

import os
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from launch import LaunchContext, LaunchDescription, LaunchIntrospector
from launch.actions import (
    AppendEnvironmentVariable,
    DeclareLaunchArgument,
    GroupAction,
    IncludeLaunchDescription,
    LogInfo,
    OpaqueFunction,
    PopLaunchConfigurations,
    ResetLaunchConfigurations,
    SetEnvironmentVariable,
    SetLaunchConfiguration,
    UnsetEnvironmentVariable,
    UnsetLaunchConfiguration,
)
from launch.conditions import (
    IfCondition,
    InvalidConditionExpressionError,
    LaunchConfigurationEquals,
    LaunchConfigurationNotEquals,
    UnlessCondition,
)
from launch.invalid_launch_file_error import InvalidLaunchFileError
from launch.launch_description_sources import (
    AnyLaunchDescriptionSource,
    InvalidPythonLaunchFileError,
    PythonLaunchDescriptionSource,
    get_launch_description_from_any_launch_file,
)
from launch.substitutions import (
    AndSubstitution,
    AnonName,
    Command,
    EnvironmentVariable,
    EqualsSubstitution,
    FindExecutable,
    IfElseSubstitution,
    LaunchConfiguration,
    NotEqualsSubstitution,
    NotSubstitution,
    OrSubstitution,
    PathJoinSubstitution,
    PythonExpression,
    SubstitutionFailure,
    TextSubstitution,
    ThisLaunchFile,
    ThisLaunchFileDir,
)
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

Run = Callable[..., int]


def record(into: list[object], *substitutions: object) -> OpaqueFunction:
    def perform(context: LaunchContext) -> None:
        for substitution in substitutions:
            parts = normalize_to_list_of_substitutions(substitution)
            into.append(perform_substitutions(context, parts))

    return OpaqueFunction(function=perform)


def configuration(name: str) -> LaunchConfiguration:
    return LaunchConfiguration(name, default="unset")


@pytest.fixture
def launch_file(tmp_path: Path) -> Callable[..., Path]:
    def write(entities: str, name: str = "file.launch.py") -> Path:
        path = tmp_path / name
        path.write_text(
            textwrap.dedent(
                f"""
                from launch import *
                from launch.actions import *
                from launch.substitutions import *

                def generate_launch_description():
                    return LaunchDescription({entities})
                """
            )
        )
        return path

    return write


# -- arguments -------------------------------------------------------------------------------


def test_a_default_applies_unless_the_argument_is_set(run: Run) -> None:
    seen: list[object] = []
    run(
        SetLaunchConfiguration("given", "1"),
        DeclareLaunchArgument("given", default_value="2"),
        DeclareLaunchArgument("other", default_value=["3", configuration("given")]),
        record(seen, configuration("given"), configuration("other")),
    )
    assert seen == ["1", "31"]


def test_a_required_argument_has_to_be_given(run: Run, capsys) -> None:
    assert run(DeclareLaunchArgument("robot", description="which one")) == 1
    expected = "Required launch argument 'robot' (description: 'which one') was not provided"
    assert expected in capsys.readouterr().out


def test_choices_are_enforced(run: Run, capsys) -> None:
    argument = DeclareLaunchArgument("mode", default_value="a", choices=["a", "b"])
    assert run(argument) == 0
    assert run(SetLaunchConfiguration("mode", "c"), argument) == 1
    expected = "Argument 'mode' provided value 'c' is not valid. Valid options are: ['a', 'b']"
    assert expected in capsys.readouterr().out
    with pytest.raises(ValueError, match="none of the choices"):
        DeclareLaunchArgument("mode", default_value="z", choices=["a"])
    with pytest.raises(ValueError, match="must not be empty"):
        DeclareLaunchArgument("mode", choices=[])


def test_arguments_are_found_where_they_are(launch_file: Callable[..., Path]) -> None:
    path = launch_file("[DeclareLaunchArgument('inner'), DeclareLaunchArgument('outer')]")
    include = IncludeLaunchDescription(str(path))
    description = LaunchDescription(
        [
            DeclareLaunchArgument("outer"),
            GroupAction(
                [DeclareLaunchArgument("maybe")], condition=IfCondition(configuration("x"))
            ),
            include,
            IncludeLaunchDescription([configuration("not known")]),
            ResetLaunchConfigurations(),
            DeclareLaunchArgument("out of reach"),
        ]
    )
    pairs = description.get_launch_arguments_with_include_launch_description_actions()
    found = {argument.name: (argument._conditionally_included, by) for argument, by in pairs}
    assert found == {"outer": (False, None), "maybe": (True, None), "inner": (False, [include])}
    assert [argument.name for argument in description.get_launch_arguments()] == list(found)
    assert "IncludeLaunchDescription" in LaunchIntrospector().format_launch_description(description)


# -- scopes ----------------------------------------------------------------------------------


def test_groups_restore_configurations_and_environment(run: Run, monkeypatch) -> None:
    monkeypatch.setenv("H_VARIABLE", "outer")
    seen: list[object] = []
    both = (configuration("a"), EnvironmentVariable("H_VARIABLE"))
    run(
        SetLaunchConfiguration("a", "outer"),
        GroupAction(
            [
                SetLaunchConfiguration("a", "inner"),
                SetEnvironmentVariable("H_VARIABLE", "inner"),
                record(seen, *both),
            ]
        ),
        record(seen, *both),
        GroupAction([SetLaunchConfiguration("a", "stays")], scoped=False),
        record(seen, *both),
    )
    assert seen == ["inner", "inner", "outer", "outer", "stays", "outer"]


def test_groups_may_hide_the_outer_scope(run: Run) -> None:
    seen: list[object] = []
    both = (configuration("a"), configuration("b"))
    run(
        SetLaunchConfiguration("a", "1"),
        GroupAction(
            [record(seen, *both)],
            forwarding=False,
            launch_configurations={"b": [configuration("a"), "2"]},
        ),
        GroupAction([record(seen, *both)], launch_configurations={"b": "3"}),
        record(seen, *both),
    )
    assert seen == ["unset", "12", "1", "3", "1", "unset"]


def test_a_pop_needs_a_push(run: Run, capsys) -> None:
    assert run(PopLaunchConfigurations()) == 1
    assert "PopLaunchConfigurations without Push" in capsys.readouterr().out


def test_configurations_and_variables_are_unset_and_appended(run: Run, monkeypatch) -> None:
    for name in ("H_NEW", "H_GONE"):
        monkeypatch.setenv(name, "x")
    seen: list[object] = []
    run(
        SetLaunchConfiguration("a", "1"),
        UnsetLaunchConfiguration("a"),
        UnsetLaunchConfiguration("never set"),
        AppendEnvironmentVariable("H_NEW", "y"),
        AppendEnvironmentVariable("H_NEW", "w", prepend=True, separator="-"),
        UnsetEnvironmentVariable("H_GONE"),
        record(
            seen,
            configuration("a"),
            EnvironmentVariable("H_NEW"),
            EnvironmentVariable("H_GONE", default_value="gone"),
        ),
    )
    assert seen == ["unset", "w-x:y", "gone"]


# -- includes --------------------------------------------------------------------------------


def test_an_include_sets_its_arguments_in_this_scope(
    run: Run, launch_file: Callable[..., Path], capsys
) -> None:
    path = launch_file(
        "[DeclareLaunchArgument('a'), LogInfo(msg=['a=', LaunchConfiguration('a'),"
        " ' in ', ThisLaunchFileDir(), ' ', ThisLaunchFile()])]"
    )
    seen: list[object] = []
    source = PythonLaunchDescriptionSource([str(path.parent), "/", path.name])
    assert (
        run(
            IncludeLaunchDescription(source, launch_arguments={"a": "1"}.items()),
            record(seen, configuration("a")),
        )
        == 0
    )
    assert seen == ["1"]
    assert f"a=1 in {path.parent} {path}" in capsys.readouterr().out


def test_the_place_of_the_outer_file_is_restored(
    run: Run, launch_file: Callable[..., Path], capsys
) -> None:
    inner = launch_file("[LogInfo(msg=['in ', ThisLaunchFile()])]", "inner.launch.py")
    outer = launch_file(
        f"[IncludeLaunchDescription('{inner}'), LogInfo(msg=['in ', ThisLaunchFile()])]",
        "outer.launch.py",
    )
    assert run(IncludeLaunchDescription(AnyLaunchDescriptionSource(str(outer)))) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "launch.user" in line]
    assert [line.rpartition("/")[2] for line in lines] == ["inner.launch.py", "outer.launch.py"]


def test_an_include_without_a_required_argument_fails(
    run: Run, launch_file: Callable[..., Path], capsys
) -> None:
    path = launch_file("[DeclareLaunchArgument('needed')]")
    assert run(IncludeLaunchDescription(str(path), launch_arguments=[("other", "1")])) == 1
    out = capsys.readouterr().out
    assert "missing required argument 'needed'" in out
    assert "given: [other]" in out


def test_files_that_are_no_launch_files(tmp_path: Path) -> None:
    for name in ("a.py", "b.txt", "c.launch.xml", "d.yaml"):
        (tmp_path / name).write_text("")
    load = get_launch_description_from_any_launch_file
    with pytest.raises(InvalidPythonLaunchFileError, match="generate_launch_description"):
        load(tmp_path / "a.py")
    with pytest.raises(InvalidLaunchFileError, match=r"'\.txt'"):
        load(tmp_path / "b.txt")
    for name in ("c.launch.xml", "d.yaml"):
        with pytest.raises(NotImplementedError, match="part of the genuine launch but not of"):
            load(tmp_path / name)
    with pytest.raises(FileNotFoundError, match=r"missing\.py"):
        load(tmp_path / "missing.py")


def test_a_file_that_raises_is_reported_in_a_line(
    run: Run, launch_file: Callable[..., Path], capsys
) -> None:
    assert run(IncludeLaunchDescription(str(launch_file("[1 / 0]")))) == 1
    out = capsys.readouterr().out
    assert "division by zero" in out
    assert "Traceback" not in out


# -- conditions ------------------------------------------------------------------------------


@given(st.sampled_from(["true", "1", "false", "0"]), st.data())
def test_conditions_know_four_words_in_any_case(word: str, data: st.DataObject) -> None:
    upper = data.draw(st.lists(st.booleans(), min_size=len(word), max_size=len(word)))
    text = "".join(c.upper() if up else c for c, up in zip(word, upper, strict=True))
    holds = word in ("true", "1")
    assert IfCondition(text).evaluate(LaunchContext()) is holds
    assert UnlessCondition(text).evaluate(LaunchContext()) is not holds


@pytest.mark.parametrize("text", ["", "yes", "on", "2", "truefalse"])
def test_anything_else_is_no_condition(text: str) -> None:
    with pytest.raises(InvalidConditionExpressionError):
        IfCondition(text).evaluate(LaunchContext())


def test_conditions_on_configurations(run: Run, capsys) -> None:
    run(
        SetLaunchConfiguration("a", "1"),
        LogInfo(msg="equal", condition=LaunchConfigurationEquals("a", "1")),
        LogInfo(msg="different", condition=LaunchConfigurationNotEquals("a", "1")),
        LogInfo(msg="absent", condition=LaunchConfigurationEquals("b", None)),
        LogInfo(msg="present", condition=LaunchConfigurationNotEquals("b", None)),
    )
    lines = [line for line in capsys.readouterr().out.splitlines() if "launch.user" in line]
    assert [line.split()[-1] for line in lines] == ["equal", "absent"]


def test_a_condition_has_to_be_one() -> None:
    with pytest.raises(TypeError, match=r"condition must be a launch\.Condition"):
        LogInfo(msg="", condition="true")


# -- substitutions ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("substitution", "expected"),
    [
        (TextSubstitution(text="a"), "a"),
        (PathJoinSubstitution(["a", [TextSubstitution(text="b"), ".c"]]), "a/b.c"),
        (PythonExpression(["2 ** ", "3"]), "8"),
        (PythonExpression("math.ceil(1.2) + floor(2.9)"), "4"),
        (PythonExpression("os.sep", ["os"]), "/"),
        (Command('printf "%s" "a b"'), "a b"),
        (Command('sh -c "echo x >&2"', on_stderr="capture"), "x\n"),
        (NotSubstitution("true"), "false"),
        (AndSubstitution("true", "0"), "false"),
        (OrSubstitution("true", "0"), "true"),
        (EqualsSubstitution("1", "1.0"), "true"),
        (EqualsSubstitution("true", "1"), "true"),
        (EqualsSubstitution("a", "b"), "false"),
        (EqualsSubstitution(None, ""), "true"),
        (NotEqualsSubstitution("a", "b"), "true"),
        (IfElseSubstitution("1", "yes", LaunchConfiguration("not evaluated")), "yes"),
        (IfElseSubstitution("false", "yes", "no"), "no"),
        (LaunchConfiguration("unset", default=5), "5"),
    ],
)
def test_values_of_substitutions(substitution: object, expected: str) -> None:
    assert substitution.perform(LaunchContext()) == expected


@pytest.mark.parametrize(
    "substitution",
    [
        LaunchConfiguration("unset"),
        EnvironmentVariable("H_UNSET"),
        FindExecutable(name="no-such-executable"),
        PythonExpression("1 / 0"),
        Command("false"),
        Command("no-such-executable"),
        Command('sh -c "echo x >&2"'),
        Command("true", on_stderr="shout"),
        NotSubstitution("perhaps"),
        ThisLaunchFile(),
        ThisLaunchFileDir(),
    ],
    ids=lambda substitution: substitution.describe(),
)
def test_substitutions_that_fail(substitution: object) -> None:
    with pytest.raises(SubstitutionFailure):
        substitution.perform(LaunchContext())


def test_executables_and_anonymous_names() -> None:
    context = LaunchContext()
    assert os.access(FindExecutable(name="sh").perform(context), os.X_OK)
    first, second = AnonName("a").perform(context), AnonName("b").perform(context)
    assert first.startswith("a_")
    assert first == AnonName("a").perform(context) != second


@given(st.lists(st.text() | st.lists(st.text(), max_size=3), max_size=5))
def test_joining_is_flattening(parts: list[object]) -> None:
    flat = "".join(p if isinstance(p, str) else "".join(p) for p in parts)
    performed = normalize_to_list_of_substitutions(parts)
    assert perform_substitutions(LaunchContext(), performed) == flat


@pytest.mark.parametrize("value", [1, None, b"bytes", [1]])
def test_what_cannot_be_a_string_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="expected a string"):
        normalize_to_list_of_substitutions(value)
