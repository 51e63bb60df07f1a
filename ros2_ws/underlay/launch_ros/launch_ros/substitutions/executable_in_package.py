"""Substitution: the path of a package's executable."""

import os

from launch import LaunchContext, SomeSubstitutionsType, Substitution
from launch.substitutions import SubstitutionFailure
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

from .find_package import FindPackagePrefix


class ExecutableInPackage(FindPackagePrefix):
    """The path of an executable in the ``lib`` folder of a package."""

    def __init__(self, executable: SomeSubstitutionsType, package: SomeSubstitutionsType) -> None:
        """Create the substitution for an executable of a package."""
        super().__init__(package)
        self.__executable = normalize_to_list_of_substitutions(executable)

    @property
    def executable(self) -> list[Substitution]:
        """Name of the executable."""
        return self.__executable

    def perform(self, context: LaunchContext) -> str:
        """Find the executable.

        Raises:
            SubstitutionFailure: There is no such package, or no such executable in it.
        """
        folder = os.path.join(
            super().perform(context), "lib", perform_substitutions(context, self.package)
        )
        name = perform_substitutions(context, self.__executable)
        path = os.path.join(folder, name)
        if not (os.path.isfile(path) and os.access(path, os.X_OK)):
            raise SubstitutionFailure(f"executable '{name}' not found in '{folder}'")
        return path
