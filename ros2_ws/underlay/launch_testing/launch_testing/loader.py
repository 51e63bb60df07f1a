"""Turns the module of a test file into launches and their test cases."""

import functools
import inspect
import unittest
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

from launch import LaunchDescription, LaunchDescriptionEntity
from launch_testing.actions import ReadyToTest

DEFAULT_READY_TIMEOUT_S = 15.0

# unittest leaves frames of modules that have this name out of the tracebacks that it prints.
__unittest = True


class InvalidTestFileError(Exception):
    """A test file does not describe a launch and its tests as it must."""


class TestRun:
    """One launch with the tests that run during it and those that run after it.

    Args:
        name: Name of the test file in reports.
        description_function: Returns the launch description, or a pair with the context.
        parameters: The arguments of this launch, where the file is parametrized.
        test_classes: All test classes of the file.
    """

    __test__ = False  # not a test, whatever pytest makes of its name

    def __init__(
        self,
        name: str,
        description_function: Callable[..., Any],
        parameters: Mapping[str, Any],
        test_classes: list[type[unittest.TestCase]],
    ) -> None:
        values = ", ".join(map(str, parameters.values()))
        self.suffix = f"[{values}]" if parameters else ""
        self.name = name + self.suffix
        self.parameters = dict(parameters)
        self._describe = description_function
        markers = getattr(description_function, "__markers__", {})
        self.keep_alive = bool(markers.get("keep_alive", False))
        self.ready_timeout_s = float(
            getattr(
                description_function, "__ready_to_test_action_timeout__", DEFAULT_READY_TIMEOUT_S
            )
        )
        # The values are known only once the launch runs, the cases already when they are listed.
        self._active_arguments: dict[str, Any] = {}
        self._post_shutdown_arguments: dict[str, Any] = {}
        self.active_cases: list[unittest.TestCase] = []
        self.post_shutdown_cases: list[unittest.TestCase] = []
        for test_class in test_classes:
            if getattr(test_class, "__post_shutdown_test__", False):
                cases = self._cases(test_class, self._post_shutdown_arguments)
                self.post_shutdown_cases.extend(cases)
            else:
                self.active_cases.extend(self._cases(test_class, self._active_arguments))

    @property
    def cases(self) -> list[unittest.TestCase]:
        """All test cases in the order in which they run."""
        return self.active_cases + self.post_shutdown_cases

    def describe(self, ready: Callable[[], object]) -> tuple[LaunchDescription, dict[str, Any]]:
        """Make the launch description.

        Args:
            ready: Called when the launch reaches its `ReadyToTest` action.

        Returns:
            The description and the context: objects that tests take as arguments.

        Raises:
            InvalidTestFileError: If the file does not return them.
        """
        made = self._describe()
        description, context = made if isinstance(made, tuple) and len(made) == 2 else (made, {})
        if not isinstance(description, LaunchDescription) or not isinstance(context, Mapping):
            raise InvalidTestFileError(
                "generate_test_description must return a LaunchDescription, or a pair of a "
                f"LaunchDescription and a dict, got {made!r}"
            )
        for entity in _walk(description.entities):
            if isinstance(entity, ReadyToTest):
                entity.add_callback(ready)
                return description, dict(context)
        raise InvalidTestFileError(
            "generate_test_description must return a LaunchDescription with a ReadyToTest action"
        )

    def bind(self, active: Mapping[str, Any], post_shutdown: Mapping[str, Any]) -> None:
        """Set the values of the arguments that tests can take."""
        self._active_arguments.update(active)
        self._post_shutdown_arguments.update(post_shutdown)

    def _cases(
        self, test_class: type[unittest.TestCase], arguments: Mapping[str, Any]
    ) -> Iterator[unittest.TestCase]:
        methods = unittest.TestLoader().getTestCaseNames(test_class)
        namespace: dict[str, Any] = {
            "__module__": test_class.__module__,
            "__qualname__": test_class.__qualname__,
        }
        for name in ("setUp", "tearDown"):
            namespace[name] = _inject(getattr(test_class, name), arguments)
        for name in ("setUpClass", "tearDownClass"):
            function = getattr(test_class, name).__func__
            namespace[name] = classmethod(_inject(function, arguments))
        for name in methods:
            namespace[name + self.suffix] = _inject(getattr(test_class, name), arguments)
        for name in ("launch_service", "proc_info", "proc_output", "test_args"):
            namespace[name] = property(functools.partial(_attribute, name, arguments))
        # A class of its own for each launch: what one launch sets must not reach the next.
        bound_class = type(test_class.__name__, (test_class,), namespace)
        for name in methods:
            yield bound_class(name + self.suffix)


def load_test_runs(module: ModuleType, name: str) -> list[TestRun]:
    """List the launches of a test file.

    Args:
        module: The imported test file.
        name: Its name in reports.

    Returns:
        One launch, or one for each set of parameters.

    Raises:
        InvalidTestFileError: If `generate_test_description` is missing or takes other arguments
            than its parameters.
    """
    entry_point = getattr(module, "generate_test_description", None)
    if entry_point is None:
        raise InvalidTestFileError(f"{module.__file__} does not define generate_test_description")
    parametrized = getattr(entry_point, "__parametrized__", False)
    launches = list(entry_point()) if parametrized else [(entry_point, {})]
    test_classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, unittest.TestCase)
        and value not in (unittest.TestCase, unittest.FunctionTestCase)
    ]
    test_classes.sort(key=lambda test_class: test_class.__name__)
    wanted = set(inspect.signature(inspect.unwrap(entry_point)).parameters)
    runs = []
    for function, parameters in launches:
        if wanted != set(parameters):
            raise InvalidTestFileError(
                f"generate_test_description takes {sorted(wanted)}, but its parameters are "
                f"{sorted(parameters)}"
            )
        description_function = functools.wraps(entry_point)(functools.partial(function))
        runs.append(TestRun(name, description_function, parameters, test_classes))
    return runs


def _walk(entities: Any) -> Iterator[LaunchDescriptionEntity]:
    for entity in entities or ():
        yield entity
        yield from _walk(entity.describe_sub_entities())
        for _, conditional in entity.describe_conditional_sub_entities():
            yield from _walk(conditional)


def _inject(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Callable[..., Any]:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    required = {parameter.name for parameter in parameters if parameter.default is parameter.empty}

    @functools.wraps(function)
    def call(self_or_class: Any) -> Any:
        missing = required - set(arguments)
        if missing:
            raise TypeError(
                f"{function.__name__} takes {', '.join(sorted(missing))}, but available are "
                f"{', '.join(sorted(arguments))}"
            )
        taken = {
            parameter.name: arguments[parameter.name]
            for parameter in parameters
            if parameter.name in arguments
        }
        return function(self_or_class, **taken)

    return call


def _attribute(name: str, arguments: Mapping[str, Any], _case: unittest.TestCase) -> Any:
    if name not in arguments:
        raise AttributeError(f"{name} is not available here")
    return arguments[name]
