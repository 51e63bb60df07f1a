"""Walking the tree of entities."""

import asyncio
from typing import TYPE_CHECKING

from ..launch_description_entity import LaunchDescriptionEntity
from ..some_entities_type import SomeEntitiesType

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


def normalize_to_list_of_entities(
    entities: SomeEntitiesType | None,
) -> list[LaunchDescriptionEntity]:
    """Return a flat list; None becomes an empty one.

    Raises:
        TypeError: Something in it is not an entity.
    """
    if entities is None:
        return []
    if isinstance(entities, LaunchDescriptionEntity):
        return [entities]
    if isinstance(entities, str) or not hasattr(entities, "__iter__"):
        raise TypeError(f"expected launch entities, got {type(entities).__name__}: {entities!r}")
    return [entity for item in entities for entity in normalize_to_list_of_entities(item)]


def visit_all_entities_and_collect_futures(
    entity: LaunchDescriptionEntity, context: "LaunchContext"
) -> list[tuple[LaunchDescriptionEntity, "asyncio.Future[None]"]]:
    """Visit an entity and, depth first, everything that its visit returns."""
    returned = normalize_to_list_of_entities(entity.visit(context))
    future = entity.get_asyncio_future()
    pairs = [] if future is None else [(entity, future)]
    for sub_entity in returned:
        pairs += visit_all_entities_and_collect_futures(sub_entity, context)
    return pairs
