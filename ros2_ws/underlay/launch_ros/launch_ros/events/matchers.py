"""Functions that make matchers of nodes."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..actions import Node


def matches_node_name(node_name: str) -> Callable[["Node"], bool]:
    """Make a matcher that accepts the node with this full name."""
    wanted = node_name if node_name.startswith("/") else f"/{node_name}"
    return lambda action: action.node_name == wanted
