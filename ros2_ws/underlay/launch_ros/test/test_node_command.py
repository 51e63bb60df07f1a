"""The command line of a node, and where its parts come from."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from launch import LaunchContext
from launch.actions import GroupAction, SetLaunchConfiguration
from launch.substitutions import (
    LaunchConfiguration,
    PathJoinSubstitution,
    SubstitutionFailure,
    TextSubstitution,
)
from launch_ros.actions import (
    LifecycleNode,
    Node,
    PushRosNamespace,
    SetParameter,
    SetParametersFromFile,
    SetRemap,
    SetUseSimTime,
)
from launch_ros.descriptions import Parameter, ParameterFile, ParameterValue
from launch_ros.substitutions import ExecutableInPackage, FindPackagePrefix, FindPackageShare
from launch_ros.utilities import make_namespace_absolute, prefix_namespace

Run = Callable[..., int]

# What the fixture ``prefix`` installs.
PACKAGE = "fixture_package"
EXECUTABLE = "print_arguments"


class Printed(Node):
    """A node whose program prints what it was given."""

    def __init__(self, **keywords: object) -> None:
        keywords = {"package": PACKAGE, "executable": EXECUTABLE, **keywords}
        super().__init__(cached_output=True, **keywords)

    @property
    def arguments(self) -> list[str]:
        return json.loads(self.get_stdout())["arguments"]

    @property
    def files(self) -> list[dict[str, object]]:
        """The contents of the parameter files, in the order of the command line."""
        printed = json.loads(self.get_stdout())
        return [
            yaml.safe_load(printed["files"][a]) for a in self.arguments if a in printed["files"]
        ]


def test_the_order_of_the_command_line(run: Run, tmp_path: Path) -> None:
    given_file, shared_file = tmp_path / "given.yaml", tmp_path / "shared.yaml"
    for path in (given_file, shared_file):
        path.write_text("/**: {ros__parameters: {x: 1}}")
    node = Printed(
        name="name",
        namespace="inner",
        parameters=[{"rate": 5.0}, str(given_file), Parameter("p", [1, 2])],
        remappings=[("a", LaunchConfiguration("to"))],
        arguments=["first", LaunchConfiguration("to")],
        ros_arguments=["--log-level", "debug"],
    )
    assert (
        run(
            SetLaunchConfiguration("to", "b"),
            PushRosNamespace("outer"),
            SetParameter("shared", "text"),
            SetParametersFromFile(str(shared_file)),
            SetRemap("c", "d"),
            node,
        )
        == 0
    )
    generated = node.arguments[node.arguments.index(str(given_file)) - 2]
    assert node.arguments == [
        *("first", "b", "--ros-args", "--log-level", "debug", "--ros-args"),
        *("-r", "__node:=name", "-r", "__ns:=/outer/inner"),
        *("-p", "shared:=text", "--params-file", str(shared_file)),
        *("--params-file", generated, "--params-file", str(given_file), "-p", "p:=[1, 2]"),
        *("-r", "c:=d", "-r", "a:=b"),
    ]
    assert not Path(generated).exists(), "the generated file goes with the launch"
    assert node.node_name == "/outer/inner/name"


def test_a_bare_node_gets_nothing_but_the_flag(run: Run) -> None:
    node = Printed()
    run(node)
    assert node.arguments == ["--ros-args"]
    assert node.node_name == "<node_namespace_unspecified>/<node_name_unspecified>"


def test_the_name_is_known_after_execution_only() -> None:
    with pytest.raises(RuntimeError, match="node_name"):
        _ = Printed(name="a").node_name


def test_parameters_are_keyed_by_the_full_name_if_it_is_known(run: Run) -> None:
    known = Printed(name="n", namespace="/", parameters=[{"a": 1}])
    unknown = Printed(name="n", parameters=[{"a": 1}])
    run(known, unknown)
    assert known.files == [{"/n": {"ros__parameters": {"a": 1}}}]
    assert unknown.files == [{"/**": {"ros__parameters": {"a": 1}}}]


def test_parameter_values(run: Run) -> None:
    text = TextSubstitution
    node = Printed(
        parameters=[
            {
                "text": "1",
                "flag": True,
                "number": text(text="1.5"),
                "list": text(text="[1, 2]"),
                "joined": [text(text="fix"), "ed"],
                "strings": ["a", "b"],
                "mixed_numbers": [1, 2.5],
                "forced_text": ParameterValue(text(text="1"), value_type=str),
                "forced_float": ParameterValue(text(text="1"), value_type=float),
                "forced_list": ParameterValue(text(text="[1, 2]"), value_type=list[float]),
                "empty": text(text=""),
                "nested": {"deep": {"er": 1}, (text(text="k"), "ey"): 2},
                "path": Path("/a/b"),
            }
        ]
    )
    run(node)
    (parameters,) = (content["/**"]["ros__parameters"] for content in node.files)
    assert parameters == {
        "text": "1",
        "flag": True,
        "number": 1.5,
        "list": [1, 2],
        "joined": "fixed",
        "strings": ["a", "b"],
        "mixed_numbers": [1.0, 2.5],
        "forced_text": "1",
        "forced_float": 1.0,
        "forced_list": [1.0, 2.0],
        "empty": "",
        "nested.deep.er": 1,
        "nested.key": 2,
        "path": "/a/b",
    }


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([1, "a"], TypeError, "must have one type, got int, str"),
        ([True, 1], TypeError, "must have one type, got bool, int"),
        (object(), TypeError, "a parameter must be bool"),
        (TextSubstitution(text="{a: 1}"), ValueError, "is a dict in YAML"),
        (ParameterValue(TextSubstitution(text="x"), value_type=int), ValueError, "type int"),
        (ParameterValue("x", value_type=list[int]), ValueError, "a list of int"),
    ],
)
def test_values_that_are_no_parameters(value: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Parameter("p", value).evaluate(LaunchContext())


def test_arguments_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(TypeError, match="parameters must be a list, got dict"):
        Printed(parameters={"a": 1})
    with pytest.raises(TypeError, match="value_type must be"):
        ParameterValue(1, value_type=dict)
    with pytest.raises(TypeError, match="node_name"):
        Printed(node_name="old")
    with pytest.raises(TypeError, match="'name'"):
        LifecycleNode(executable="x", namespace="")


@pytest.mark.parametrize("keywords", [{"name": "1a"}, {"name": "a/b"}, {"namespace": "/a//b"}])
def test_names_that_ros_does_not_accept(run: Run, capsys, keywords: dict[str, str]) -> None:
    assert run(Printed(**keywords)) == 1
    assert "invalid n" in capsys.readouterr().out


def test_a_missing_parameter_file_is_a_warning(run: Run, capsys) -> None:
    with_program_of_its_own = Node(executable="true", parameters=["/no/such/file.yaml"])
    assert run(with_program_of_its_own) == 0
    assert "Parameter file path is not a file: /no/such/file.yaml" in capsys.readouterr().out


def test_substitutions_in_a_parameter_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "/**:\n  ros__parameters:\n"
        "    a: $(var robot)  # $(var not_performed)\n"
        "    b: $(env H_UNSET $(var robot))\n"
        "    c: $(find-pkg-share fixture_package)/x\n"
        "    d: $(var count)\n"
    )
    node = Printed(parameters=[ParameterFile(path, allow_substs=True)])
    plain = Printed(parameters=[ParameterFile(path)])
    run(SetLaunchConfiguration("robot", "so100"), SetLaunchConfiguration("count", "3"), node, plain)
    (content,) = node.files
    values = content["/**"]["ros__parameters"]
    assert (values["a"], values["b"], values["d"]) == ("so100", "so100", 3)
    assert values["c"].endswith("/share/fixture_package/x")
    assert "--params-file" in plain.arguments
    assert str(path) in plain.arguments


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: $(nonsense x)", "unknown substitution"),
        ("a: $(var)", "malformed substitution"),
        ("a: $(var unset)", "does not exist"),
        ("a: [", "not valid YAML"),
    ],
)
def test_parameter_files_that_cannot_be_substituted(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(SubstitutionFailure, match=message):
        ParameterFile(path, allow_substs=True).evaluate(LaunchContext())


def test_scopes_hold_namespaces_parameters_and_remaps(run: Run) -> None:
    inner, outer = Printed(), Printed()
    run(
        SetParameter("a", 1),
        GroupAction(
            [PushRosNamespace("n"), SetUseSimTime(True), SetRemap("x", "y"), inner],
        ),
        outer,
    )
    assert inner.arguments[1:] == [
        *("-r", "__ns:=/n", "-p", "a:=1", "-p", "use_sim_time:=true", "-r", "x:=y")
    ]
    assert outer.arguments[1:] == ["-p", "a:=1"]


@pytest.mark.parametrize(
    ("base", "namespace", "expected"),
    [
        (None, None, None),
        (None, "a", "a"),
        ("/b", None, "/b"),
        ("/b", "a", "/b/a"),
        ("/b", "/a", "/a"),
        ("/", "a", "/a"),
        ("/b", "", "/b"),
        ("", "a", "a"),
    ],
)
def test_namespaces_compose(base: str | None, namespace: str | None, expected: str | None) -> None:
    assert prefix_namespace(base, namespace) == expected


@given(st.lists(st.sampled_from(["a", "b_1", "Cc"]), min_size=1, max_size=5))
def test_pushed_namespaces_are_the_path(parts: list[str]) -> None:
    context = LaunchContext()
    for part in parts:
        PushRosNamespace(part).visit(context)
    assert context.launch_configurations["ros_namespace"] == "/" + "/".join(parts)
    assert make_namespace_absolute(parts[0]) == f"/{parts[0]}"


@given(
    st.one_of(
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=200),
    )
)
def test_assignments_survive_yaml(value: object) -> None:
    from launch_ros.actions.node import _assignment

    text = _assignment("p", value)
    assert "\n" not in text
    loaded = yaml.safe_load(text.removeprefix("p:="))
    assert loaded == value
    assert type(loaded) is type(value)


# -- packages --------------------------------------------------------------------------------


def test_packages_are_found(prefix: Path) -> None:
    context = LaunchContext()
    share = PathJoinSubstitution([FindPackageShare(PACKAGE), "launch"]).perform(context)
    assert share == str(prefix / "share" / PACKAGE / "launch")
    assert FindPackagePrefix(PACKAGE).perform(context) == str(prefix)
    path = ExecutableInPackage(package=PACKAGE, executable=EXECUTABLE).perform(context)
    assert path == str(prefix / "lib" / PACKAGE / EXECUTABLE)


def test_packages_and_executables_that_do_not_exist(run: Run, capsys) -> None:
    assert run(Node(package="no_such_package", executable="x")) == 1
    assert run(Node(package=PACKAGE, executable="no_such_executable")) == 1
    out = capsys.readouterr().out
    assert "package 'no_such_package' not found" in out
    assert "executable 'no_such_executable' not found in" in out


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("launch_ros", "ros_adapters"),
        ("launch_ros.actions", "ComposableNodeContainer"),
        ("launch_ros.actions", "RosTimer"),
        ("launch_ros.descriptions", "ComposableNode"),
        ("launch_ros.substitutions", "Parameter"),
        ("launch_ros.utilities", "evaluate_parameters"),
    ],
)
def test_genuine_names_are_refused_by_name(module: str, name: str) -> None:
    import importlib

    with pytest.raises(ImportError, match=f"'{name}' is part of the genuine launch"):
        getattr(importlib.import_module(module), name)
