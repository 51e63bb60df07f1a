"""Event handler: a process has written something."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Union

from .._unsupported import refusal
from ..events.process import ProcessIO
from ..some_entities_type import SomeEntitiesType
from .on_action_event_base import OnActionEventBase

if TYPE_CHECKING:
    from ..action import Action
    from ..launch_context import LaunchContext

OutputCallback = Callable[[ProcessIO], SomeEntitiesType | None]


class OnProcessIO(OnActionEventBase):
    """React when a process has written something."""

    def __init__(
        self,
        *,
        target_action: Union[Callable[["Action"], bool], "Action", None] = None,
        on_stdin: OutputCallback | None = None,
        on_stdout: OutputCallback | None = None,
        on_stderr: OutputCallback | None = None,
        **kwargs: Any,
    ) -> None:
        """Create a handler.

        Args:
            target_action: The action, a predicate over actions, or None for any.
            on_stdin: Not supported: nothing is ever written to a process.
            on_stdout: Called with each ProcessIO event of stdout; may return entities.
            on_stderr: Called with each ProcessIO event of stderr; may return entities.
            kwargs: Those of BaseEventHandler.
        """
        if on_stdin is not None:
            raise NotImplementedError(refusal("OnProcessIO(on_stdin=)"))
        from ..actions.execute_local import ExecuteLocal  # the actions import the handlers

        def on_output(event: ProcessIO, _: "LaunchContext") -> SomeEntitiesType | None:
            callback = on_stdout if event.from_stdout else on_stderr
            return None if callback is None else callback(event)

        super().__init__(
            action_matcher=target_action,
            on_event=on_output,
            target_event_cls=ProcessIO,
            target_action_cls=ExecuteLocal,
            **kwargs,
        )
