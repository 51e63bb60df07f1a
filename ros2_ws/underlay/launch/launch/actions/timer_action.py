"""Action: act after a time."""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..action import Action
from ..event import Event
from ..event_handler import EventHandler
from ..event_handlers import OnShutdown
from ..events import TimerEvent
from ..launch_description_entity import LaunchDescriptionEntity
from ..some_substitutions_type import SomeSubstitutionsType
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class TimerAction(Action):
    """Visit entities once, after a time."""

    def __init__(
        self,
        *,
        period: float | SomeSubstitutionsType,
        actions: Iterable[LaunchDescriptionEntity],
        cancel_on_shutdown: bool | SomeSubstitutionsType = True,
        **kwargs: Any,
    ) -> None:
        """Create the action.

        Args:
            period: Time until the entities are visited [s].
            actions: The entities.
            cancel_on_shutdown: Whether a shutdown of the launch cancels the timer; otherwise
                the shutdown waits for it.
            kwargs: Those of Action.
        """
        super().__init__(**kwargs)
        self.__period = normalize_to_list_of_substitutions(
            str(period) if isinstance(period, int | float) else period
        )
        self.__actions = list(actions)
        self.__cancel_on_shutdown = normalize_to_list_of_substitutions(
            str(cancel_on_shutdown) if isinstance(cancel_on_shutdown, bool) else cancel_on_shutdown
        )
        self.__canceled = False
        self.__timer: asyncio.TimerHandle | None = None
        self.__completed: asyncio.Future[None] | None = None

    @property
    def actions(self) -> list[LaunchDescriptionEntity]:
        """The entities."""
        return self.__actions

    def describe_conditional_sub_entities(
        self,
    ) -> list[tuple[str, Iterable[LaunchDescriptionEntity]]]:
        """Return the entities: they are visited unless the launch ends before."""
        return [("Actions after a time", self.__actions)]

    def get_asyncio_future(self) -> "asyncio.Future[None] | None":
        """Return the future that is done when the time is over or the timer is cancelled."""
        return self.__completed

    def cancel(self) -> None:
        """Cancel the timer; a timer that is over stays so. Call it in the launch's thread."""
        self.__canceled = True
        if self.__timer is not None:
            self.__timer.cancel()
        if self.__completed is not None and not self.__completed.done():
            self.__completed.set_result(None)

    def execute(self, context: "LaunchContext") -> None:
        """Start the timer.

        Raises:
            ValueError: The period is not a number.
        """
        from ..conditions import evaluate_condition_expression

        if self.__canceled:
            return
        cancel_on_shutdown = evaluate_condition_expression(context, self.__cancel_on_shutdown)
        if context.is_shutdown and cancel_on_shutdown:
            return
        period_s = float(perform_substitutions(context, self.__period))
        loop = asyncio.get_running_loop()
        self.__completed = completed = loop.create_future()

        def is_over() -> None:
            context.emit_event_sync(TimerEvent(timer_action=self))
            completed.set_result(None)

        def cancel(event: Event, context: "LaunchContext") -> None:
            self.cancel()

        context.register_event_handler(
            EventHandler(
                matcher=lambda event: isinstance(event, TimerEvent) and event.timer_action is self,
                entities=self.__actions,
                handle_once=True,
            )
        )
        if cancel_on_shutdown:
            context.register_event_handler(OnShutdown(on_shutdown=cancel))
        self.__timer = loop.call_later(period_s, is_over)
