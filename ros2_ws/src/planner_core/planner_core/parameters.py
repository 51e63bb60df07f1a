"""Node parameters from one frozen dataclass: declaration, validation and reference page.

A field made by `parameter` gives a parameter's type, default, bounds and physical effect; the unit
is the suffix of its name. Nodes declare from it, YAML files and ``ros2 param set`` are checked
against it, and the reference page is printed from it, so the three cannot disagree.

Example:
    >>> @dataclass(frozen=True, slots=True)
    ... class Follower:
    ...     rate_hz: float = parameter(50.0, "How often a command is sent.", minimum=1.0)
    >>> parse(Follower, {"rate_hz": 100}).rate_hz
    100.0
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from planner_core.errors import (
    InvalidParameterError,
    ReadOnlyParameterError,
    UnknownParameterError,
)

T = TypeVar("T")

UNITS = {
    "_m_s2": "m/s^2",
    "_m_s": "m/s",
    "_rad_s": "rad/s",
    "_per_m2": "1/m^2",
    "_hz": "Hz",
    "_ms": "ms",
    "_rad": "rad",
    "_s": "s",
    "_m": "m",
    "_v": "V",
}
"""Unit by the suffix of a name, longest first."""

_KEY = "planner_core.parameter"


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """One parameter.

    Attributes:
        name: Its name; a unit suffix names the unit.
        kind: ``bool``, ``int``, ``float`` or ``str``, also for the elements of an array.
        is_array: Whether the value is a tuple of ``kind``.
        default: Value where nothing is set.
        effect: What it does to the robot, in one sentence.
        minimum: Lowest value, of each element for arrays.
        maximum: Highest value.
        choices: The allowed values, where they are a list.
        read_only: Whether it is fixed once the node runs.
    """

    name: str
    kind: type
    is_array: bool
    default: Any
    effect: str
    minimum: float | None
    maximum: float | None
    choices: tuple[Any, ...] | None
    read_only: bool

    @property
    def unit(self) -> str:
        """The unit that the name ends in, or nothing."""
        return next((unit for end, unit in UNITS.items() if self.name.endswith(end)), "")

    @property
    def expectation(self) -> str:
        """What a value has to be, for people."""
        words = f"an array of {self.kind.__name__}" if self.is_array else self.kind.__name__
        if self.choices is not None:
            words += f", one of {list(self.choices)}"
        if self.minimum is not None or self.maximum is not None:
            low = "-inf" if self.minimum is None else f"{self.minimum:g}"
            high = "inf" if self.maximum is None else f"{self.maximum:g}"
            words += f" in [{low}, {high}]"
        return f"{words} {self.unit}".rstrip()

    def check(self, value: Any) -> Any:
        """Convert a value to the parameter's type.

        Args:
            value: From YAML, the command line or a parameter message.

        Returns:
            The value; integers become floats where a float is declared, sequences tuples.

        Raises:
            InvalidParameterError: Wrong type, not finite, out of bounds, or not a choice.
        """
        if not self.is_array:
            return self._check_element(value)
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise self._refusal(value)
        return tuple(self._check_element(element) for element in value)

    def _check_element(self, value: Any) -> Any:
        if self.kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        # bool is a subclass of int; a rate of True is a mistake.
        if type(value) is not self.kind:
            raise self._refusal(value)
        if isinstance(value, int | float):
            low = -math.inf if self.minimum is None else self.minimum
            high = math.inf if self.maximum is None else self.maximum
            if not math.isfinite(value) or not low <= value <= high:
                raise self._refusal(value)
        if self.choices is not None and value not in self.choices:
            raise self._refusal(value)
        return value

    def _refusal(self, value: Any) -> InvalidParameterError:
        return InvalidParameterError(
            f"parameter {self.name}", got=repr(value), expected=self.expectation
        )


def parameter(
    default: Any,
    effect: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: Sequence[Any] | None = None,
    read_only: bool = False,
) -> Any:
    """A dataclass field that is a node parameter; see `ParameterSpec` for the arguments."""
    spec = {
        "effect": effect,
        "minimum": minimum,
        "maximum": maximum,
        "choices": None if choices is None else tuple(choices),
        "read_only": read_only,
    }
    return dataclasses.field(default=default, metadata={_KEY: spec})


def specs(cls: type) -> dict[str, ParameterSpec]:
    """The parameters of a dataclass, by name, in the order of its fields.

    Raises:
        TypeError: A field is not made by `parameter`, has a type that ROS parameters lack, or a
            default outside its own bounds.
    """
    hints = get_type_hints(cls)
    result = {}
    for field in dataclasses.fields(cls):
        if _KEY not in field.metadata:
            raise TypeError(f"{cls.__name__}.{field.name} is not declared by parameter()")
        kind, is_array = hints[field.name], False
        if get_origin(kind) is tuple:
            kind, is_array = get_args(kind)[0], True
        if kind not in (bool, int, float, str):
            raise TypeError(f"{cls.__name__}.{field.name}: {kind} is not a parameter type")
        spec = ParameterSpec(field.name, kind, is_array, field.default, **field.metadata[_KEY])
        try:
            spec.check(spec.default)
        except InvalidParameterError as error:
            raise TypeError(f"{cls.__name__}.{field.name}: bad default: {error}") from error
        result[field.name] = spec
    return result


def parse(cls: type[T], values: Mapping[str, Any]) -> T:
    """An instance of the dataclass from values by name.

    Raises:
        UnknownParameterError: A name that is not declared.
        InvalidParameterError: A value that its parameter refuses.
    """
    known = specs(cls)
    refuse_unknown(cls, values)
    return cls(**{name: known[name].check(value) for name, value in values.items()})


def refuse_unknown(cls: type, names: Mapping[str, Any] | Sequence[str]) -> None:
    """Refuse names that the dataclass does not declare.

    Raises:
        UnknownParameterError: With the names that exist.
    """
    known = specs(cls)
    if unknown := sorted(set(names) - set(known)):
        raise UnknownParameterError(
            f"{cls.__name__} has no such parameter", got=unknown, expected=f"of {sorted(known)}"
        )


def replace(current: T, values: Mapping[str, Any]) -> T:
    """A changed copy, for parameters that may change while a node runs.

    Raises:
        UnknownParameterError: A name that is not declared.
        InvalidParameterError: A value that its parameter refuses.
        ReadOnlyParameterError: A change of a read-only parameter.
    """
    known = specs(type(current))
    refuse_unknown(type(current), values)
    changes = {name: known[name].check(value) for name, value in values.items()}
    for name, value in changes.items():
        if known[name].read_only and value != getattr(current, name):
            raise ReadOnlyParameterError(
                f"parameter {name} is fixed while the node runs",
                got=repr(value),
                expected=repr(getattr(current, name)),
                remedy="Set it in the node's YAML file and restart.",
            )
    return dataclasses.replace(current, **changes)  # type: ignore[type-var]


def reference(cls: type) -> str:
    """The reference table of a dataclass, in Markdown."""
    lines = ["| parameter | default | accepts | effect |", "|---|---|---|---|"]
    for spec in specs(cls).values():
        default = list(spec.default) if spec.is_array else spec.default
        fixed = " (fixed while running)" if spec.read_only else ""
        lines.append(f"| `{spec.name}` | `{default}` | {spec.expectation}{fixed} | {spec.effect} |")
    return "\n".join(lines) + "\n"
