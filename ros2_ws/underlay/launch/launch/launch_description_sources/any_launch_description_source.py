"""Source: a launch file of any supported format."""

from typing import TYPE_CHECKING

from ..launch_description_source import LaunchDescriptionSource
from ..some_substitutions_type import SomeSubstitutionsType
from .any_launch_file_utilities import get_launch_description_from_any_launch_file

if TYPE_CHECKING:
    from ..launch_description import LaunchDescription


class AnyLaunchDescriptionSource(LaunchDescriptionSource):
    """Loads a launch file; Python is the only supported format."""

    def __init__(self, launch_file_path: SomeSubstitutionsType) -> None:
        """Create a source from a path."""
        super().__init__(None, launch_file_path, "interpreted launch file")

    def _get_launch_description(self, location: str) -> "LaunchDescription":
        return get_launch_description_from_any_launch_file(location)
