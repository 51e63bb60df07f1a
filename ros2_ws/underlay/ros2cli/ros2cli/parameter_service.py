"""The parameter services of a node, as function calls."""

from typing import Any

from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import (
    DescribeParameters,
    GetParameters,
    ListParameters,
    SetParameters,
)
from rclpy.parameter import parameter_value_to_python

from ros2cli.errors import CommandError
from ros2cli.session import Session

# Type -> word for one value, label of `ros2 param get`.
TYPE_NAMES = {
    ParameterType.PARAMETER_NOT_SET: "not set",
    ParameterType.PARAMETER_BOOL: "boolean",
    ParameterType.PARAMETER_INTEGER: "integer",
    ParameterType.PARAMETER_DOUBLE: "double",
    ParameterType.PARAMETER_STRING: "string",
    ParameterType.PARAMETER_BYTE_ARRAY: "byte array",
    ParameterType.PARAMETER_BOOL_ARRAY: "boolean array",
    ParameterType.PARAMETER_INTEGER_ARRAY: "integer array",
    ParameterType.PARAMETER_DOUBLE_ARRAY: "double array",
    ParameterType.PARAMETER_STRING_ARRAY: "string array",
}


class ParameterServer:
    """The parameters of one node.

    Args:
        session: The session.
        node: Absolute name of the node.

    All methods raise `CommandError` when the node does not answer.
    """

    def __init__(self, session: Session, node: str) -> None:
        self._session = session
        self._node = node

    def _call(self, service_type: type, name: str, request: Any) -> Any:
        return self._session.call(service_type, f"{self._node}/{name}", request)

    def names(self, prefixes: list[str] | None = None) -> list[str]:
        """Return the names of the declared parameters, sorted."""
        request = ListParameters.Request(prefixes=prefixes or [])
        return sorted(self._call(ListParameters, "list_parameters", request).result.names)

    def values(self, names: list[str]) -> list[ParameterValue]:
        """Return one value for each name; none at all if one of them is undeclared."""
        return self._call(
            GetParameters, "get_parameters", GetParameters.Request(names=names)
        ).values

    def descriptors(self, names: list[str]) -> list[Any]:
        """Return the descriptors of parameters."""
        request = DescribeParameters.Request(names=names)
        return self._call(DescribeParameters, "describe_parameters", request).descriptors

    def set(self, parameters: list[Parameter]) -> list[Any]:
        """Set parameters one by one and return the result of each."""
        results = self._call(
            SetParameters, "set_parameters", SetParameters.Request(parameters=parameters)
        ).results
        if len(results) != len(parameters):
            raise CommandError(f"'{self._node}' answered for {len(results)} parameters only")
        return results


def plain_value(value: ParameterValue) -> Any:
    """Return the Python value of a parameter; None if it is not set."""
    plain = parameter_value_to_python(value)
    # Arrays arrive as array.array, which neither YAML nor a reader of the output wants.
    return list(plain) if hasattr(plain, "tolist") else plain


def nested(values: dict[str, Any]) -> dict[str, Any]:
    """Turn dotted names into nested mappings, as parameter files have them.

    A name that is both a value and a prefix of others keeps its dots.
    """
    tree: dict[str, Any] = {}
    for name, value in sorted(values.items()):
        if any(other.startswith(f"{name}.") or name.startswith(f"{other}.") for other in values):
            tree[name] = value
            continue
        *parents, leaf = name.split(".")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[leaf] = value
    return tree
