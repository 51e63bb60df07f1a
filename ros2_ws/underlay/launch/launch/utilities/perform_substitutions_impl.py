"""Evaluation of several substitutions to one string."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..substitution import Substitution

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


def perform_substitutions(context: "LaunchContext", subs: Iterable[Substitution]) -> str:
    """Evaluate all, and join the results."""
    return "".join(context.perform_substitution(sub) for sub in subs)
