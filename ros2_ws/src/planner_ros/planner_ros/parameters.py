"""Binds a parameter dataclass of planner_core to a node.

The node is constructed with ``automatically_declare_parameters_from_overrides=True``, so that every
key of its YAML file and command line is seen, and a misspelt one is refused instead of ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from planner_core.errors import ConfigurationError, DriftpilotError
from planner_core.parameters import ParameterSpec, parse, refuse_unknown, replace, specs
from rcl_interfaces.msg import ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

T = TypeVar("T")

# Parameters that rclpy itself declares on every node.
ROS_PARAMETERS = ("use_sim_time", "start_type_description_service")
ROS_PREFIXES = ("qos_overrides.",)

_TYPES = {
    (bool, False): Parameter.Type.BOOL,
    (int, False): Parameter.Type.INTEGER,
    (float, False): Parameter.Type.DOUBLE,
    (str, False): Parameter.Type.STRING,
    (bool, True): Parameter.Type.BOOL_ARRAY,
    (int, True): Parameter.Type.INTEGER_ARRAY,
    (float, True): Parameter.Type.DOUBLE_ARRAY,
    (str, True): Parameter.Type.STRING_ARRAY,
}


class NodeParameters(Generic[T]):
    """The parameters of a node, as an instance of its dataclass.

    Args:
        node: Constructed with ``automatically_declare_parameters_from_overrides=True``.
        cls: The dataclass, its fields made by `planner_core.parameters.parameter`.
        on_change: Called with the old and the new values before a change takes effect, in the
            executor's thread; a `DriftpilotError` refuses the change. A change that turns out to be
            impossible only later is undone with `set_back`.

    Raises:
        ConfigurationError: A parameter that was set is unknown or refused.
    """

    def __init__(
        self, node: Node, cls: type[T], on_change: Callable[[T, T], None] | None = None
    ) -> None:
        self._node = node
        self._on_change = on_change
        self._is_set_back = False
        self._names = set(specs(cls))
        given = {
            name: _plain(value.value)
            for name, value in node.get_parameters_by_prefix("").items()
            if name not in ROS_PARAMETERS and not name.startswith(ROS_PREFIXES)
        }
        try:
            refuse_unknown(cls, given)
            self._values = parse(cls, given)
        except DriftpilotError as error:
            raise ConfigurationError(
                f"parameters of {node.get_fully_qualified_name()}: {error}"
            ) from error
        for name, spec in specs(cls).items():
            if node.has_parameter(name):
                node.undeclare_parameter(name)
            # The value as converted: 5 in a YAML file is 5.0 where a float is declared.
            value = getattr(self._values, name)
            parameter = Parameter(name, _TYPES[spec.kind, spec.is_array], _plain_list(value))
            node.declare_parameter(name, parameter.value, _descriptor(spec), ignore_override=True)
        node.add_on_set_parameters_callback(self._set)

    @property
    def values(self) -> T:
        """The present values."""
        return self._values

    def set_back(self, changes: Mapping[str, tuple[Any, Any]]) -> None:
        """Undo a change that failed, but for what somebody has changed again since.

        Whoever listens to parameter events hears of it. In the executor's thread.

        Args:
            changes: The values before and after the change, by name.
        """
        known = specs(type(self._values))
        self._is_set_back = True
        try:
            self._node.set_parameters([
                Parameter(name, _TYPES[known[name].kind, known[name].is_array], _plain_list(before))
                for name, (before, after) in changes.items()
                if getattr(self._values, name) == after
            ])  # fmt: skip
        finally:
            self._is_set_back = False

    def _set(self, changes: list[Parameter]) -> SetParametersResult:
        ours = {p.name: _plain(p.value) for p in changes if p.name in self._names}
        if not ours:
            return SetParametersResult(successful=True)
        try:
            new = replace(self._values, ours)
            if self._on_change is not None and not self._is_set_back:
                self._on_change(self._values, new)
        except DriftpilotError as error:
            return SetParametersResult(successful=False, reason=str(error))
        self._values = new
        return SetParametersResult(successful=True)


def _plain(value: Any) -> Any:
    """Arrays of rclpy as lists, everything else as it is."""
    return list(value) if hasattr(value, "typecode") or isinstance(value, tuple) else value


def _plain_list(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _descriptor(spec: ParameterSpec) -> ParameterDescriptor:
    descriptor = ParameterDescriptor()
    descriptor.description = spec.effect
    descriptor.additional_constraints = spec.expectation
    # Integers are welcome where floats are declared; the types are checked against the dataclass.
    descriptor.dynamic_typing = True
    return descriptor
