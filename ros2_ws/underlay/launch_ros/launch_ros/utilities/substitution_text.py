"""Substitutions within a text, as in ``$(var robot)``."""

import re
import shlex
from collections.abc import Callable

from launch import LaunchContext, Substitution
from launch.substitutions import (
    AnonName,
    Command,
    EnvironmentVariable,
    FindExecutable,
    LaunchConfiguration,
    PythonExpression,
    SubstitutionFailure,
    ThisLaunchFileDir,
)

from ..substitutions import ExecutableInPackage, FindPackagePrefix, FindPackageShare

# The innermost ones: an argument contains no other substitution any more.
_INNERMOST = re.compile(r"\$\((?P<name>[a-z][a-z_-]*)(?:\s+(?P<arguments>[^$()]*))?\)")


def _environment_variable(name: str, default: str | None = None) -> Substitution:
    return EnvironmentVariable(name, default_value=default)


def _launch_configuration(name: str, default: str | None = None) -> Substitution:
    return LaunchConfiguration(name, default=default)


_MAKERS: dict[str, Callable[..., Substitution]] = {
    "anon": AnonName,
    "command": Command,
    "dirname": ThisLaunchFileDir,
    "env": _environment_variable,
    "eval": PythonExpression,
    "exec-in-pkg": lambda executable, package: ExecutableInPackage(executable, package),
    "find-exec": lambda name: FindExecutable(name=name),
    "find-pkg-prefix": FindPackagePrefix,
    "find-pkg-share": FindPackageShare,
    "var": _launch_configuration,
}


def perform_substitution_text(context: LaunchContext, text: str) -> str:
    """Perform all substitutions in a text, from the innermost to the outermost.

    Raises:
        SubstitutionFailure: One is unknown, malformed or fails.
    """

    def perform(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in _MAKERS:
            raise SubstitutionFailure(
                f"unknown substitution {match[0]!r}, expected one of {', '.join(sorted(_MAKERS))}"
            )
        try:
            substitution = _MAKERS[name](*shlex.split(match["arguments"] or ""))
        except (TypeError, ValueError) as error:
            raise SubstitutionFailure(f"malformed substitution {match[0]!r}: {error}") from error
        return substitution.perform(context)

    # Results are set aside: a '$(...)' in a value is text, not a substitution.
    while _INNERMOST.search(text):
        text = _INNERMOST.sub(perform, text)
    return text
