"""Loading of launch files whatever their format."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from .._unsupported import refusal
from ..invalid_launch_file_error import InvalidLaunchFileError
from .python_launch_file_utilities import get_launch_description_from_python_launch_file

if TYPE_CHECKING:
    from ..launch_description import LaunchDescription


def get_launch_description_from_any_launch_file(
    launch_file_path: str | os.PathLike[str],
) -> "LaunchDescription":
    """Load a launch file.

    Raises:
        FileNotFoundError: There is no such file.
        NotImplementedError: It is an XML or YAML launch file.
        InvalidLaunchFileError: It is no launch file.
    """
    path = Path(launch_file_path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no launch file {str(path)!r}")
    if path.suffix in (".xml", ".yaml", ".yml"):
        raise NotImplementedError(refusal(f"{path.suffix[1:].upper()} launch file {path.name}"))
    if path.suffix != ".py":
        raise InvalidLaunchFileError(path.suffix)
    return get_launch_description_from_python_launch_file(path)
