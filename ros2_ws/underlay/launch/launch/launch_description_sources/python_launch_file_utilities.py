"""Loading of Python launch files."""

import importlib.machinery
import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..launch_description import LaunchDescription


class InvalidPythonLaunchFileError(Exception):
    """A Python file is not a launch file."""


def load_python_launch_file_as_module(
    python_launch_file_path: str | os.PathLike[str],
) -> ModuleType:
    """Execute a Python launch file as a module of its own.

    Raises:
        FileNotFoundError: There is no such file.
    """
    path = Path(python_launch_file_path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no launch file {str(path)!r}")
    # A source loader by name: the suffix need not be .py.
    loader = importlib.machinery.SourceFileLoader("python_launch_file", str(path))
    specification = importlib.util.spec_from_loader(loader.name, loader)
    assert specification is not None
    module = importlib.util.module_from_spec(specification)
    loader.exec_module(module)
    return module


def get_launch_description_from_python_launch_file(
    python_launch_file_path: str | os.PathLike[str],
) -> "LaunchDescription":
    """Return what ``generate_launch_description()`` of a file returns.

    Raises:
        FileNotFoundError: There is no such file.
        InvalidPythonLaunchFileError: The file has no such function.
    """
    module = load_python_launch_file_as_module(python_launch_file_path)
    if not hasattr(module, "generate_launch_description"):
        raise InvalidPythonLaunchFileError(
            f"launch file {str(python_launch_file_path)!r} has no function "
            "generate_launch_description()"
        )
    description: LaunchDescription = module.generate_launch_description()
    return description
