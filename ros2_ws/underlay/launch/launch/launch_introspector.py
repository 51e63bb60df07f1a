"""Launch descriptions in words."""

from collections.abc import Iterable

from .launch_description import LaunchDescription
from .launch_description_entity import LaunchDescriptionEntity


class LaunchIntrospector:
    """Formats launch descriptions for a reader."""

    def format_launch_description(self, launch_description: LaunchDescription) -> str:
        """Return an indented list of everything that the description may visit."""
        return "\n".join([repr(launch_description), *_lines(launch_description.entities, "    ")])


def _lines(entities: Iterable[LaunchDescriptionEntity], indent: str) -> list[str]:
    lines = []
    for entity in entities:
        lines.append(f"{indent}{entity.describe()}")
        lines += _lines(entity.describe_sub_entities(), f"{indent}    ")
        for condition, sub_entities in entity.describe_conditional_sub_entities():
            lines.append(f"{indent}    {condition}")
            lines += _lines(sub_entities, f"{indent}        ")
    return lines
