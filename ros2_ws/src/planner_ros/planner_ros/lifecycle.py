"""The base of managed nodes: one teardown path, errors that name themselves, optional autostart."""

from __future__ import annotations

import traceback
from abc import abstractmethod
from collections.abc import Callable

from lifecycle_msgs.msg import State as StateMsg
from planner_core.errors import DriftpilotError
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

_RESULT = TransitionCallbackReturn


class ManagedNode(LifecycleNode):
    """A lifecycle node whose subclasses fill four hooks and override no transition.

    ``set_up`` and ``start`` may raise a `DriftpilotError`: the transition fails, the message is
    logged, and ``take_down`` or ``halt`` is called, which tolerates a state that was only half
    built. Whatever else a hook raises is logged with its traceback, and everything is released: the
    node is unconfigured then, and can be configured again.

    Args:
        name: Name of the node.

    Attributes:
        starts_itself: Whether the present transition is the node's own, and nobody asked for it.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, automatically_declare_parameters_from_overrides=True)
        self._error: DriftpilotError | None = None
        self.starts_itself = False

    def bring_up(self) -> None:
        """Configure and activate at once, for a node that no lifecycle manager drives.

        Raises:
            DriftpilotError: What a hook raised.
        """
        self.starts_itself = True
        try:
            for transition in (self.trigger_configure, self.trigger_activate):
                if transition() is not _RESULT.SUCCESS:
                    assert self._error is not None
                    raise self._error
        finally:
            self.starts_itself = False

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._attempt(self.set_up, self.take_down)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = self._attempt(self.start, self.halt)
        return super().on_activate(state) if result is _RESULT.SUCCESS else result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = self._end(self.halt)
        return super().on_deactivate(state) if result is _RESULT.SUCCESS else result

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._end(self.take_down)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.shut_down()
        return _RESULT.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.shut_down()
        return _RESULT.SUCCESS

    def shut_down(self) -> None:
        """Stop and release everything, from any state; one that fails does not spare the other."""
        self._end(self.halt)
        self._end(self.take_down)

    def _attempt(
        self, action: Callable[[], None], undo: Callable[[], None]
    ) -> TransitionCallbackReturn:
        try:
            action()
        except DriftpilotError as error:
            self._error = error
            self.get_logger().error(str(error))
            self._end(undo)
            return _RESULT.FAILURE
        except Exception as error:
            return self._failed(action, error)
        return _RESULT.SUCCESS

    def _end(self, action: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            action()
        except Exception as error:
            return self._failed(action, error)
        return _RESULT.SUCCESS

    def _failed(self, action: Callable[[], None], error: Exception) -> TransitionCallbackReturn:
        """Say what rclpy would keep to itself: it turns any exception into this result."""
        name = getattr(action, "__name__", "hook")
        self._error = DriftpilotError(f"{name} raised {type(error).__name__}", got=error)
        self.get_logger().error("".join(traceback.format_exception(error)))
        return _RESULT.ERROR

    @property
    def active(self) -> bool:
        """Whether the node is in its active state."""
        return bool(self._state_machine.current_state[0] == StateMsg.PRIMARY_STATE_ACTIVE)

    @abstractmethod
    def set_up(self) -> None:
        """Load and allocate; nothing moves yet."""

    @abstractmethod
    def start(self) -> None:
        """Begin to work."""

    @abstractmethod
    def halt(self) -> None:
        """End the work. Called from any state, also twice."""

    @abstractmethod
    def take_down(self) -> None:
        """Release what `set_up` made. Called from any state, also twice."""
