"""What may stand for parameters of a node."""

from collections.abc import Mapping, Sequence
from typing import Any

from launch.some_substitutions_type import SomeSubstitutionsType

from .parameter_descriptions import Parameter, ParameterFile

SomeParameterFile = SomeSubstitutionsType | ParameterFile
SomeParametersDict = Mapping[SomeSubstitutionsType, Any]
SomeParameters = Sequence[SomeParameterFile | Parameter | SomeParametersDict]

EvaluatedParameterValue = (
    str | int | float | bool | Sequence[str] | Sequence[int] | Sequence[float] | Sequence[bool]
)
