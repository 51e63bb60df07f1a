"""Substitution: a unique name."""

import os
import socket
import time
from typing import TYPE_CHECKING

from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class AnonName(Substitution):
    """A name that no other launch has; the same name gives the same result in one launch."""

    def __init__(self, name: SomeSubstitutionsType) -> None:
        """Create the substitution from the beginning of the name."""
        self.__name = normalize_to_list_of_substitutions(name)

    def perform(self, context: "LaunchContext") -> str:
        """Return the name."""
        name = perform_substitutions(context, self.__name)
        key = f"anon{name}"
        if key not in context.launch_configurations:
            # Nothing but what a ROS name may contain.
            host = "".join(c if c.isalnum() and c.isascii() else "_" for c in socket.gethostname())
            context.launch_configurations[key] = f"{name}_{host}_{os.getpid()}_{time.time_ns()}"
        return str(context.launch_configurations[key])
