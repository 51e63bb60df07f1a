"""Action: run a ROS node."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from launch import LaunchContext, SomeSubstitutionsType, Substitution
from launch.actions import ExecuteProcess
from launch.logging import get_logger
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

from ..parameter_descriptions import (
    Parameter,
    ParameterFile,
    ParameterValue,
    write_temporary_file,
)
from ..parameters_type import SomeParameters
from ..remap_rule_type import SomeRemapRules
from ..substitutions import ExecutableInPackage
from ..utilities.namespace_utils import (
    checked_namespace,
    checked_node_name,
    make_namespace_absolute,
    prefix_namespace,
)

_UNSPECIFIED_NAME = "<node_name_unspecified>"
_UNSPECIFIED_NAMESPACE = "<node_namespace_unspecified>"


class Node(ExecuteProcess):
    """Run a ROS node as a process of its own."""

    def __init__(
        self,
        *,
        executable: SomeSubstitutionsType,
        package: SomeSubstitutionsType | None = None,
        name: SomeSubstitutionsType | None = None,
        namespace: SomeSubstitutionsType | None = None,
        exec_name: SomeSubstitutionsType | None = None,
        parameters: SomeParameters | None = None,
        remappings: SomeRemapRules | None = None,
        ros_arguments: Iterable[SomeSubstitutionsType] | None = None,
        arguments: Iterable[SomeSubstitutionsType] | None = None,
        **kwargs: Any,
    ) -> None:
        """Create the action.

        Args:
            executable: Name of the executable in the package, or without a package its path or
                its name on the PATH.
            package: Package of the executable.
            name: Name of the node; default is what its program says.
            namespace: Namespace; a relative one is put into that of PushRosNamespace.
            exec_name: Label of the process, without its number.
            parameters: Files (paths, ParameterFile), dicts and Parameters; the last one counts.
            remappings: Pairs (from, to).
            ros_arguments: Further arguments behind ``--ros-args``.
            arguments: Arguments of the program.
            kwargs: Those of ExecuteProcess, but ``cmd``.

        Raises:
            TypeError: ``parameters`` is not a list, or has an element of another kind.
        """
        program = (
            executable
            if package is None
            else ExecutableInPackage(executable=executable, package=package)
        )
        cmd = [program, *(arguments or ())]
        ros_arguments = list(ros_arguments or ())
        if ros_arguments:
            cmd += ["--ros-args", *ros_arguments]
        super().__init__(cmd=cmd, name=exec_name, **kwargs)
        self.__package = package
        self.__executable = executable
        self.__node_name = None if name is None else normalize_to_list_of_substitutions(name)
        self.__node_namespace = (
            None if namespace is None else normalize_to_list_of_substitutions(namespace)
        )
        self.__parameters = _normalized_parameters(parameters)
        self.__remappings = [
            (normalize_to_list_of_substitutions(source), normalize_to_list_of_substitutions(to))
            for source, to in remappings or ()
        ]
        self.__expanded_name = _UNSPECIFIED_NAME
        self.__expanded_namespace: str | None = None
        self.__expanded = False

    @property
    def node_package(self) -> SomeSubstitutionsType | None:
        """Package of the executable."""
        return self.__package

    @property
    def node_executable(self) -> SomeSubstitutionsType:
        """Name of the executable."""
        return self.__executable

    @property
    def node_name(self) -> str:
        """Full name of the node, with placeholders for what is not known.

        Raises:
            RuntimeError: The action has not been executed.
        """
        if not self.__expanded:
            raise RuntimeError("'node_name' is known only when the action has been executed")
        namespace = self.expanded_node_namespace
        return f"{namespace.rstrip('/')}/{self.__expanded_name}"

    @property
    def expanded_node_name(self) -> str:
        """Name of the node, without namespace."""
        return self.__expanded_name

    @property
    def expanded_node_namespace(self) -> str:
        """Absolute namespace of the node."""
        return self.__expanded_namespace or _UNSPECIFIED_NAMESPACE

    def is_node_name_fully_specified(self) -> bool:
        """Say whether name and namespace are known."""
        return self.__node_name is not None and self.__expanded_namespace is not None

    def prepare(self, context: LaunchContext) -> None:
        """Perform the substitutions, and add the ROS arguments to the command."""
        self._expand_name(context)
        arguments: list[str] = ["--ros-args"]
        if self.__node_name is not None:
            arguments += ["-r", f"__node:={self.__expanded_name}"]
        if self.__expanded_namespace is not None:
            arguments += ["-r", f"__ns:={self.__expanded_namespace}"]
        for source in context.launch_configurations.get("global_params", ()):
            if isinstance(source, tuple):
                arguments += ["-p", _assignment(*source)]
            else:
                arguments += self._file_arguments(Path(source))
        for description in self.__parameters:
            arguments += self._parameter_arguments(context, description)
        for source, target in (
            *context.launch_configurations.get("ros_remaps", ()),
            *(
                (perform_substitutions(context, source), perform_substitutions(context, target))
                for source, target in self.__remappings
            ),
        ):
            arguments += ["-r", f"{source}:={target}"]
        self.process_description.append(arguments)
        super().prepare(context)

    def _expand_name(self, context: LaunchContext) -> None:
        namespace = prefix_namespace(
            context.launch_configurations.get("ros_namespace"),
            None
            if self.__node_namespace is None
            else perform_substitutions(context, self.__node_namespace),
        )
        absolute = make_namespace_absolute(namespace)
        if absolute is not None:
            self.__expanded_namespace = checked_namespace(absolute)
        if self.__node_name is not None:
            self.__expanded_name = checked_node_name(
                perform_substitutions(context, self.__node_name)
            )
        self.__expanded = True

    def _parameter_arguments(self, context: LaunchContext, description: Any) -> list[str]:
        if isinstance(description, Parameter):
            return ["-p", _assignment(*description.evaluate(context))]
        if isinstance(description, ParameterFile):
            return self._file_arguments(description.evaluate(context))
        values = {
            perform_substitutions(context, name): value.evaluate(context)
            for name, value in description
        }
        key = self.node_name if self.is_node_name_fully_specified() else "/**"
        text = yaml.safe_dump({key: {"ros__parameters": values}}, default_flow_style=False)
        return ["--params-file", str(write_temporary_file(context, text))]

    def _file_arguments(self, path: Path) -> list[str]:
        if not path.is_file():
            get_logger("launch_ros").warning(f"Parameter file path is not a file: {path}")
        return ["--params-file", str(path)]


_Values = list[tuple[list[Substitution], ParameterValue]]


def _normalized_parameters(
    parameters: SomeParameters | None,
) -> list[Parameter | ParameterFile | _Values]:
    if parameters is None:
        return []
    if isinstance(parameters, str | bytes | Mapping | Substitution):
        raise TypeError(f"parameters must be a list, got {type(parameters).__name__}")
    normalized: list[Parameter | ParameterFile | _Values] = []
    for item in parameters:
        if isinstance(item, Parameter | ParameterFile):
            normalized.append(item)
        elif isinstance(item, Mapping):
            normalized.append(_flattened(item, []))
        else:
            path = os.fspath(item) if isinstance(item, os.PathLike) else item
            normalized.append(ParameterFile(path))
    return normalized


def _flattened(values: Mapping[Any, Any], prefix: list[Substitution]) -> _Values:
    """Flatten nested dicts to dotted names."""
    flat: _Values = []
    for key, value in values.items():
        name = [*prefix, *normalize_to_list_of_substitutions(key)]
        if isinstance(value, Mapping):
            flat += _flattened(value, [*name, *normalize_to_list_of_substitutions(".")])
        else:
            flat.append(
                (name, value if isinstance(value, ParameterValue) else ParameterValue(value))
            )
    return flat


def _assignment(name: str, value: Any) -> str:
    """Return ``name:=value`` with the value in one line of YAML."""
    text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"))
    return f"{name}:={text.removesuffix(chr(10)).removesuffix(chr(10) + '...')}"
