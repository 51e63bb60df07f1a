"""The action that lets the tests begin."""

from collections.abc import Callable

from launch import LaunchContext
from launch.action import Action


class ReadyToTest(Action):
    """Lets the tests begin; every test description contains one."""

    def __init__(self) -> None:
        super().__init__()
        self._callbacks: list[Callable[[], object]] = []

    def add_callback(self, callback: Callable[[], object]) -> None:
        """Call `callback` on the thread of the launch when this action is executed."""
        self._callbacks.append(callback)

    def execute(self, context: LaunchContext) -> None:
        """Tell everyone who waits that the tests can begin."""
        for callback in self._callbacks:
            callback()
