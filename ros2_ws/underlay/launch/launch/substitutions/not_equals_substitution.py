"""Substitution: whether two values differ."""

from typing import TYPE_CHECKING

from .equals_substitution import EqualsSubstitution

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class NotEqualsSubstitution(EqualsSubstitution):
    """'true' if the values differ, else 'false'."""

    def perform(self, context: "LaunchContext") -> str:
        """Compare."""
        return "false" if super().perform(context) == "true" else "true"
