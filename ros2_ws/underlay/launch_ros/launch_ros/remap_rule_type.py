"""What may stand for remap rules of a node."""

from collections.abc import Iterable

from launch.some_substitutions_type import SomeSubstitutionsType

SomeRemapRule = tuple[SomeSubstitutionsType, SomeSubstitutionsType]
SomeRemapRules = Iterable[SomeRemapRule]
