"""Substitutions that ask the ament index."""

from launch._unsupported import refuse_names

from .executable_in_package import ExecutableInPackage
from .find_package import (
    FindPackage,
    FindPackagePrefix,
    FindPackageShare,
    PackageNotFoundError,
)

__all__ = [
    "ExecutableInPackage",
    "FindPackage",
    "FindPackagePrefix",
    "FindPackageShare",
    "PackageNotFoundError",
]

__getattr__ = refuse_names(__name__, {"Parameter"})
