"""Action: put the nodes that follow into a namespace."""

from typing import Any

from launch import Action, LaunchContext, SomeSubstitutionsType, Substitution
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

from ..utilities.namespace_utils import make_namespace_absolute, prefix_namespace


class PushRosNamespace(Action):
    """Put the nodes that follow, in this scope, into a namespace; it adds to the current one."""

    def __init__(self, namespace: SomeSubstitutionsType, **kwargs: Any) -> None:
        """Create the action for ``namespace``; ``kwargs`` are those of Action."""
        super().__init__(**kwargs)
        self.__namespace = normalize_to_list_of_substitutions(namespace)

    @property
    def namespace(self) -> list[Substitution]:
        """The namespace."""
        return self.__namespace

    def execute(self, context: LaunchContext) -> None:
        """Push the namespace."""
        pushed = perform_substitutions(context, self.__namespace)
        current = context.launch_configurations.get("ros_namespace")
        combined = make_namespace_absolute(prefix_namespace(current, pushed))
        # An empty one leaves an unset namespace unset: nodes keep what their programs say.
        if pushed:
            context.launch_configurations["ros_namespace"] = combined


PushROSNamespace = PushRosNamespace
