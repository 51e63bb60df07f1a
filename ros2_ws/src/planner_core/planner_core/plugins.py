"""Planners, robots and estimators by name, from any installed package.

The built-in ones register through the same entry points as those of a user's package, in the groups
``planner.planners``, ``planner.robots`` and ``planner.estimators``.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from planner_core.errors import UnknownPluginError


def plugin_names(group: str) -> list[str]:
    """Names that installed packages provide in a group."""
    return sorted({entry.name for entry in entry_points(group=group)})


def load_plugin(group: str, name: str) -> Any:
    """Import what a package registered under a name.

    Raises:
        UnknownPluginError: Nothing installed provides the name, or importing it failed.
    """
    found = list(entry_points(group=group, name=name))
    if not found:
        raise UnknownPluginError(
            f"no {group.rpartition('.')[2].removesuffix('s')} of that name",
            got=repr(name),
            expected=f"one of {plugin_names(group)}",
            remedy="Install the package that provides it, and source the workspace.",
        )
    try:
        return found[0].load()
    except (ImportError, AttributeError) as error:
        raise UnknownPluginError(
            f"{group} plugin {name!r} ({found[0].value}) cannot be imported", got=error
        ) from error
