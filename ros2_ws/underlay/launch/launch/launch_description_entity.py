"""Base class of everything that a launch description may contain."""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class LaunchDescriptionEntity:
    """A node of the tree that the launch service visits."""

    def describe(self) -> str:
        """Describe the entity for a reader of the launch description."""
        return repr(self)

    def describe_sub_entities(self) -> list["LaunchDescriptionEntity"]:
        """Return the entities below this one, as far as they are known without a context."""
        return []

    def describe_conditional_sub_entities(
        self,
    ) -> list[tuple[str, Iterable["LaunchDescriptionEntity"]]]:
        """Return (condition in words, entities) for those that may or may not be visited."""
        return []

    def visit(self, context: "LaunchContext") -> list["LaunchDescriptionEntity"] | None:
        """Act, and return the entities to visit next."""
        raise NotImplementedError(f"{type(self).__name__}.visit()")

    def get_asyncio_future(self) -> Optional["asyncio.Future[None]"]:
        """Return the future that keeps the launch from being idle, or None."""
        return None
