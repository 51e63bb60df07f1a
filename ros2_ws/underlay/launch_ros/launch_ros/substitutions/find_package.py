"""Substitutions: where a package is installed."""

from ament_index_python.packages import (
    PackageNotFoundError,
    get_package_prefix,
    get_package_share_directory,
)
from launch import LaunchContext, SomeSubstitutionsType, Substitution
from launch.substitutions import SubstitutionFailure
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

__all__ = ["FindPackage", "FindPackagePrefix", "FindPackageShare", "PackageNotFoundError"]


class FindPackage(Substitution):
    """Base class of the substitutions that find a package."""

    def __init__(self, package: SomeSubstitutionsType) -> None:
        """Create the substitution for the package of this name."""
        self.__package = normalize_to_list_of_substitutions(package)

    @property
    def package(self) -> list[Substitution]:
        """Name of the package."""
        return self.__package

    def describe(self) -> str:
        """Describe the substitution by its package."""
        parts = " + ".join(part.describe() for part in self.__package)
        return f"{type(self).__name__}(pkg={parts})"

    def find(self, package_name: str) -> str:
        """Return the folder; a subclass fills this in."""
        raise NotImplementedError(f"{type(self).__name__}.find()")

    def perform(self, context: LaunchContext) -> str:
        """Find the package.

        Raises:
            SubstitutionFailure: There is no such package.
        """
        name = perform_substitutions(context, self.__package)
        try:
            return self.find(name)
        except (PackageNotFoundError, ValueError) as error:
            raise SubstitutionFailure(f"package '{name}' not found: {error}") from error


class FindPackagePrefix(FindPackage):
    """The prefix into which a package is installed."""

    def find(self, package_name: str) -> str:
        """Return the prefix."""
        return get_package_prefix(package_name)


class FindPackageShare(FindPackage):
    """The ``share`` folder of a package."""

    def find(self, package_name: str) -> str:
        """Return the folder."""
        return get_package_share_directory(package_name)
