"""Event handler: an action has completed."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Union

from ..events import ExecutionComplete
from .on_action_event_base import OnActionEventBase, Reaction

if TYPE_CHECKING:
    from ..action import Action


class OnExecutionComplete(OnActionEventBase):
    """React when an action has completed."""

    def __init__(
        self,
        *,
        target_action: Union[Callable[["Action"], bool], "Action", None] = None,
        on_completion: Reaction,
        **kwargs: Any,
    ) -> None:
        """Create a handler.

        Args:
            target_action: The action, a predicate over actions, or None for any.
            on_completion: Entities, or a callable (event, context) that may return some.
            kwargs: Those of BaseEventHandler.
        """
        from ..action import Action  # the actions import the handlers

        super().__init__(
            action_matcher=target_action,
            on_event=on_completion,
            target_event_cls=ExecutionComplete,
            target_action_cls=Action,
            **kwargs,
        )
