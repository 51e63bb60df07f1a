"""Descriptions of parameters: a value, a named value, a file."""

import os
import typing
from pathlib import Path
from typing import Any

import yaml
from launch import LaunchContext, SomeSubstitutionsType, Substitution
from launch.substitutions import SubstitutionFailure
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

from .utilities.substitution_text import perform_substitution_text

_SCALARS = (bool, int, float, str)


class ParameterValue:
    """A value of a parameter; what a substitution results in is read as YAML."""

    def __init__(self, value: Any, *, value_type: Any = None) -> None:
        """Describe a value.

        Args:
            value: A scalar, a list of scalars of one type, a substitution or a list of
                substitutions and strings (which are joined).
            value_type: bool, int, float, str or a ``List`` of one of them, to force the type.

        Raises:
            TypeError: ``value_type`` is none of these.
        """
        if value_type is not None and _element_type(value_type) is None:
            raise TypeError(
                "value_type must be bool, int, float, str or a List of one of them, "
                f"got {value_type!r}"
            )
        self.__value = value
        self.__value_type = value_type

    @property
    def value(self) -> Any:
        """The value, before substitution."""
        return self.__value

    @property
    def value_type(self) -> Any:
        """The forced type, or None."""
        return self.__value_type

    def evaluate(self, context: LaunchContext) -> Any:
        """Return a scalar or a list of scalars.

        Raises:
            ValueError: The value does not have the forced type, or none that a parameter may have.
            TypeError: A list has elements of several types.
        """
        value = _evaluate(context, self.__value, self.__value_type)
        return value if self.__value_type is None else _coerce(value, self.__value_type)


class Parameter:
    """A named parameter."""

    def __init__(self, name: SomeSubstitutionsType, value: Any, *, value_type: Any = None) -> None:
        """Describe a parameter; see ParameterValue for ``value`` and ``value_type``."""
        self.__name = normalize_to_list_of_substitutions(name)
        self.__value = ParameterValue(value, value_type=value_type)

    @property
    def name(self) -> list[Substitution]:
        """The name, before substitution."""
        return self.__name

    @property
    def value(self) -> Any:
        """The value, before substitution."""
        return self.__value.value

    @property
    def value_type(self) -> Any:
        """The forced type, or None."""
        return self.__value.value_type

    def evaluate(self, context: LaunchContext) -> tuple[str, Any]:
        """Return name and value."""
        return perform_substitutions(context, self.__name), self.__value.evaluate(context)


class ParameterFile:
    """A YAML file of parameters."""

    def __init__(
        self,
        param_file: SomeSubstitutionsType | os.PathLike[str],
        *,
        allow_substs: bool | SomeSubstitutionsType = False,
    ) -> None:
        """Describe a file.

        Args:
            param_file: Path of the file.
            allow_substs: Perform the substitutions (``$(var name)`` and the like) in the file, in
                a copy.
        """
        self.__param_file = normalize_to_list_of_substitutions(
            os.fspath(param_file) if isinstance(param_file, os.PathLike) else param_file
        )
        self.__allow_substs = normalize_to_list_of_substitutions(
            str(allow_substs) if isinstance(allow_substs, bool) else allow_substs
        )

    @property
    def param_file(self) -> list[Substitution]:
        """Path of the file, before substitution."""
        return self.__param_file

    @property
    def allow_substs(self) -> list[Substitution]:
        """Whether substitutions are performed in the file."""
        return self.__allow_substs

    def evaluate(self, context: LaunchContext) -> Path:
        """Return the path of the file, or of its copy.

        Raises:
            SubstitutionFailure: The file, or its copy, is not YAML, or cannot be substituted.
        """
        from launch.conditions import evaluate_condition_expression

        path = Path(perform_substitutions(context, self.__param_file))
        if not evaluate_condition_expression(context, self.__allow_substs):
            return path
        # Through YAML once, so that a comment is no substitution.
        text = yaml.safe_dump(_load_yaml(path.read_text(), f"parameter file {str(path)!r}"))
        text = perform_substitution_text(context, text)
        _load_yaml(text, f"parameter file {str(path)!r} after substitution")
        return write_temporary_file(context, text)

    def cleanup(self) -> None:
        """Do nothing: the copy goes with the launch."""


def write_temporary_file(context: LaunchContext, text: str) -> Path:
    """Write a file that is removed with the end of the launch, however it ends."""
    folder = context._guardian.temporary_folder()
    path = folder / f"launch_params_{sum(1 for _ in folder.iterdir())}.yaml"
    path.write_text(text)
    return path


def _load_yaml(text: str, what: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SubstitutionFailure(f"{what} is not valid YAML: {error}") from error


def _element_type(value_type: Any) -> type | None:
    """Return the scalar of a type or list type, None if it is neither."""
    if typing.get_origin(value_type) is list:
        (value_type,) = typing.get_args(value_type)
    return next((scalar for scalar in _SCALARS if value_type is scalar), None)


def _is_substitution(value: object) -> bool:
    return isinstance(value, Substitution) or (
        isinstance(value, list | tuple)
        and any(isinstance(part, Substitution) for part in value)
        and all(isinstance(part, Substitution | str) for part in value)
    )


def _evaluate(context: LaunchContext, value: Any, value_type: Any) -> Any:
    if isinstance(value, ParameterValue):
        return value.evaluate(context)
    if _is_substitution(value):
        text = perform_substitutions(context, normalize_to_list_of_substitutions(value))
        return text if value_type is str else _from_yaml(text)
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, list | tuple):
        return _uniform([_evaluate(context, element, None) for element in value])
    raise TypeError(
        "a parameter must be bool, int, float, str, a list of one of them or a substitution, "
        f"got {type(value).__name__}: {value!r}"
    )


def _from_yaml(text: str) -> Any:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text  # '%Y: %m' and the like: no YAML, but a string that somebody may want
    if value is None:
        return ""
    if isinstance(value, list):
        return _uniform(value)
    if not isinstance(value, _SCALARS):
        raise ValueError(
            f"{text!r} is a {type(value).__name__} in YAML; a parameter must be bool, int, float, "
            "str or a list of one of them. Use ParameterValue(..., value_type=str) for a string."
        )
    return value


def _uniform(values: list[Any]) -> list[Any]:
    types = {type(value) for value in values}
    if not types <= set(_SCALARS):
        raise TypeError(f"a parameter list may contain bool, int, float and str only: {values!r}")
    if types == {int, float}:
        return [float(value) for value in values]
    if len(types) > 1:
        names = ", ".join(sorted(cls.__name__ for cls in types))
        raise TypeError(f"a parameter list must have one type, got {names}: {values!r}")
    return values


def _coerce(value: Any, value_type: Any) -> Any:
    element = _element_type(value_type)
    assert element is not None
    if value_type is element:
        return _coerce_scalar(value, element)
    if not isinstance(value, list | tuple):
        raise ValueError(f"expected a list of {element.__name__}, got {value!r}")
    return [_coerce_scalar(part, element) for part in value]


def _coerce_scalar(value: Any, scalar: type) -> Any:
    if type(value) is scalar:
        return value
    if scalar is float and type(value) is int:
        return float(value)
    raise ValueError(f"expected a value of type {scalar.__name__}, got {value!r}")
