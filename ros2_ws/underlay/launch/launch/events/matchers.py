"""Functions that make matchers."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..action import Action


def matches_action(target_action: "Action") -> Callable[["Action"], bool]:
    """Make a matcher that accepts just this action."""
    return lambda action: action is target_action
