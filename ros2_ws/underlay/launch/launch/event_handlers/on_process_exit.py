"""Event handler: a process has ended."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Union

from ..events.process import ProcessExited
from .on_action_event_base import OnActionEventBase, Reaction

if TYPE_CHECKING:
    from ..action import Action


class OnProcessExit(OnActionEventBase):
    """React when a process has ended."""

    def __init__(
        self,
        *,
        target_action: Union[Callable[["Action"], bool], "Action", None] = None,
        on_exit: Reaction,
        **kwargs: Any,
    ) -> None:
        """Create a handler.

        Args:
            target_action: The action, a predicate over actions, or None for any.
            on_exit: Entities, or a callable (event, context) that may return some.
            kwargs: Those of BaseEventHandler.
        """
        from ..actions.execute_local import ExecuteLocal  # the actions import the handlers

        super().__init__(
            action_matcher=target_action,
            on_event=on_exit,
            target_event_cls=ProcessExited,
            target_action_cls=ExecuteLocal,
            **kwargs,
        )
