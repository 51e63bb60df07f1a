"""Packages and executables in the ament index."""

import os
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from ament_index_python.packages import get_packages_with_prefixes as _packages_with_prefixes

from ros2cli.errors import CommandError


def package_names() -> list[str]:
    """Return the installed packages, sorted."""
    return sorted(_packages_with_prefixes())


def package_prefix(package: str) -> Path:
    """Return the install prefix of a package.

    Raises:
        CommandError: The index does not know the package.
    """
    try:
        return Path(get_package_prefix(package))
    except (PackageNotFoundError, ValueError):
        raise CommandError(f"Package '{package}' not found") from None


def package_share(package: str) -> Path:
    """Return the share directory of a package.

    Raises:
        CommandError: The index does not know the package.
    """
    return package_prefix(package) / "share" / package


def executables(package: str) -> list[Path]:
    """Return what ``ros2 run`` can start: the executable files below ``lib/<package>``.

    Raises:
        CommandError: The index does not know the package.
    """
    found = []
    for folder, _, names in os.walk(package_prefix(package) / "lib" / package):
        found += [Path(folder, name) for name in names]
    return sorted(path for path in found if path.is_file() and os.access(path, os.X_OK))
