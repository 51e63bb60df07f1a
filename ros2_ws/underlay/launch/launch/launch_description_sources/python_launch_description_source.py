"""Source: a Python launch file."""

from typing import TYPE_CHECKING

from ..launch_description_source import LaunchDescriptionSource
from ..some_substitutions_type import SomeSubstitutionsType
from .python_launch_file_utilities import get_launch_description_from_python_launch_file

if TYPE_CHECKING:
    from ..launch_description import LaunchDescription


class PythonLaunchDescriptionSource(LaunchDescriptionSource):
    """Loads a Python launch file."""

    def __init__(self, launch_file_path: SomeSubstitutionsType) -> None:
        """Create a source from a path."""
        super().__init__(None, launch_file_path, "interpreted python launch file")

    def _get_launch_description(self, location: str) -> "LaunchDescription":
        return get_launch_description_from_python_launch_file(location)
