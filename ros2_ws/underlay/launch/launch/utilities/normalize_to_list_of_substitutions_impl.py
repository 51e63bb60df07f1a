"""One form for everything that may stand for a string."""

from collections.abc import Iterable
from pathlib import Path

from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution


def normalize_to_list_of_substitutions(subst: SomeSubstitutionsType) -> list[Substitution]:
    """Return a list of substitutions, whose results are to be joined.

    Raises:
        TypeError: Something is neither a string, a path nor a substitution.
    """
    from ..substitutions import TextSubstitution  # the substitutions import this module

    if isinstance(subst, Substitution):
        return [subst]
    if isinstance(subst, str | Path):
        return [TextSubstitution(text=str(subst))]
    if isinstance(subst, Iterable) and not isinstance(subst, bytes):
        return [part for item in subst for part in normalize_to_list_of_substitutions(item)]
    raise TypeError(
        "expected a string, a path, a Substitution or a list of these, "
        f"got {type(subst).__name__}: {subst!r}"
    )
