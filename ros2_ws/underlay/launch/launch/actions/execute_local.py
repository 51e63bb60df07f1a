"""Action: run an executable on this machine."""

import asyncio
import os
import signal
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._child_process import STDERR, STDOUT, ChildProcess
from .._process_output import ProcessOutput
from ..action import Action
from ..conditions import evaluate_condition_expression
from ..descriptions import Executable
from ..event_handler import BaseEventHandler, EventHandler
from ..event_handlers import OnProcessExit, OnShutdown
from ..event_handlers.on_action_event_base import Reaction, checked_reaction
from ..events.process import (
    ProcessExited,
    ProcessStarted,
    ProcessStderr,
    ProcessStdout,
    ShutdownProcess,
    SignalProcess,
)
from ..launch_description_entity import LaunchDescriptionEntity
from ..logging import get_logger, get_output_loggers
from ..logging.output import OutputConfiguration
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..substitutions import LaunchConfiguration
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions
from .opaque_function import OpaqueFunction

if TYPE_CHECKING:
    from ..launch_context import LaunchContext

SomeBoolean = bool | SomeSubstitutionsType

_SIGTERM_TIMEOUT = LaunchConfiguration("sigterm_timeout", default="5")
_SIGKILL_TIMEOUT = LaunchConfiguration("sigkill_timeout", default="5")


class ExecuteLocal(Action):
    """Run an executable, log its output, end it when the launch shuts down.

    Emits ProcessStarted, ProcessStdout, ProcessStderr and ProcessExited; handles
    ShutdownProcess, SignalProcess and the launch's Shutdown.
    """

    def __init__(
        self,
        *,
        process_description: Executable,
        shell: bool = False,
        sigterm_timeout: SomeSubstitutionsType = _SIGTERM_TIMEOUT,
        sigkill_timeout: SomeSubstitutionsType = _SIGKILL_TIMEOUT,
        emulate_tty: bool = False,
        output: SomeSubstitutionsType | OutputConfiguration = "log",
        output_format: str = "[{this.process_description.final_name}] {line}",
        cached_output: bool = False,
        log_cmd: bool = False,
        on_exit: Reaction | None = None,
        respawn: SomeBoolean = False,
        respawn_delay: float | None = None,
        respawn_max_retries: int = -1,
        **kwargs: Any,
    ) -> None:
        """Create the action.

        Args:
            process_description: What to execute.
            shell: Whether a shell interprets the command.
            sigterm_timeout: Time from SIGINT to SIGTERM at shutdown [s].
            sigkill_timeout: Time from SIGTERM to SIGKILL at shutdown [s].
            emulate_tty: Give the process a pseudo terminal; the launch configuration
                ``emulate_tty`` overrides it.
            output: Where stdout and stderr go: 'log' (stderr also to the screen), 'screen',
                'both', 'own_log', 'full', or a dict of sinks; see ``launch.logging``.
            output_format: Form of a line; fields are ``line`` and ``this``.
            cached_output: Keep the output for ``get_stdout`` and ``get_stderr``.
            log_cmd: Log the command line.
            on_exit: Entities, or a callable (event, context), for the end of the process.
            respawn: Start the process again whenever it ends.
            respawn_delay: Time before that [s].
            respawn_max_retries: How many times at most; -1 is for ever.
            kwargs: Those of Action.
        """
        super().__init__(**kwargs)
        self.__description = process_description
        self.__shell = shell
        self.__sigterm_timeout = normalize_to_list_of_substitutions(sigterm_timeout)
        self.__sigkill_timeout = normalize_to_list_of_substitutions(sigkill_timeout)
        self.__emulate_tty = emulate_tty
        output = os.environ.get("OVERRIDE_LAUNCH_PROCESS_OUTPUT", output)
        self.__output: list[Substitution] | Mapping[str, Any] = (
            output if isinstance(output, Mapping) else normalize_to_list_of_substitutions(output)
        )
        self.__output_format = output_format
        self.__output_log = ProcessOutput(cached=cached_output)
        self.__log_cmd = log_cmd
        self.__on_exit = None if on_exit is None else checked_reaction(on_exit, "on_exit")
        self.__respawn = normalize_to_list_of_substitutions(
            str(respawn).lower() if isinstance(respawn, bool) else respawn
        )
        self.__respawn_delay = respawn_delay
        self.__respawn_max_retries = respawn_max_retries
        self.__details: dict[str, Any] | None = None
        self.__child: ChildProcess | None = None
        self.__completed: asyncio.Future[None] | None = None
        self.__ending: asyncio.Event | None = None
        self.__terminator: asyncio.Task[None] | None = None

    @property
    def process_description(self) -> Executable:
        """What is executed."""
        return self.__description

    @property
    def shell(self) -> bool:
        """Whether a shell interprets the command."""
        return self.__shell

    @property
    def emulate_tty(self) -> bool:
        """Whether the process has a pseudo terminal, unless the configuration overrides it."""
        return self.__emulate_tty

    @property
    def sigterm_timeout(self) -> list[Substitution]:
        """Time from SIGINT to SIGTERM [s]."""
        return self.__sigterm_timeout

    @property
    def sigkill_timeout(self) -> list[Substitution]:
        """Time from SIGTERM to SIGKILL [s]."""
        return self.__sigkill_timeout

    @property
    def output(self) -> list[Substitution] | Mapping[str, Any]:
        """Where stdout and stderr go."""
        return self.__output

    @property
    def process_details(self) -> dict[str, Any] | None:
        """Keys action, name, cmd, cwd, env and pid; None before the process has started."""
        return self.__details

    @property
    def return_code(self) -> int | None:
        """Exit code of the latest run, None before it has ended."""
        if self.__child is None or not self.__child.exited.done():
            return None
        return self.__child.exited.result()

    def get_stdout(self) -> str:
        """Return what the process has written to stdout; needs ``cached_output``."""
        return self.__output_log.text(STDOUT)

    def get_stderr(self) -> str:
        """Return what the process has written to stderr; needs ``cached_output``."""
        return self.__output_log.text(STDERR)

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the entities of ``on_exit``, if they are fixed."""
        if self.__on_exit is None or callable(self.__on_exit):
            return []
        if isinstance(self.__on_exit, LaunchDescriptionEntity):
            return [self.__on_exit]
        return list(self.__on_exit)

    def get_asyncio_future(self) -> "asyncio.Future[None] | None":
        """Return the future that is done when the process has ended for good."""
        return self.__completed

    def prepare(self, context: "LaunchContext") -> None:
        """Perform the substitutions of the command; a subclass may add to it."""
        self.__description.prepare(context, self)

    def execute(self, context: "LaunchContext") -> list[LaunchDescriptionEntity] | None:
        """Start the process, unless the launch is shutting down.

        Raises:
            RuntimeError: The action has been executed before.
        """
        if self.__completed is not None:
            raise RuntimeError(f"{self.describe()} is executed more than once")
        if context.is_shutdown:
            return None
        self.prepare(context)
        loop = asyncio.get_running_loop()
        name = self.__description.final_name
        assert name is not None
        self.__logger = get_logger(name)
        output = (
            self.__output
            if isinstance(self.__output, Mapping)
            else perform_substitutions(context, self.__output)
        )
        stdout, stderr = get_output_loggers(name, output)
        self.__output_log.log_to(
            {STDOUT: stdout, STDERR: stderr},
            lambda line: self.__output_format.format(line=line, this=self),
        )
        # Everything is evaluated now: a scope that has been left by then counts no more.
        self.__timeouts_s = [
            float(perform_substitutions(context, timeout))
            for timeout in (self.__sigterm_timeout, self.__sigkill_timeout)
        ]
        tty = context.launch_configurations.get("emulate_tty", str(self.__emulate_tty))
        self.__tty = evaluate_condition_expression(context, normalize_to_list_of_substitutions(tty))
        self.__retries_left = (
            self.__respawn_max_retries
            if evaluate_condition_expression(context, self.__respawn)
            else 0
        )
        self.__register_handlers(context)
        self.__completed = loop.create_future()
        self.__ending = asyncio.Event()
        # The attribute keeps the task: a loop has but weak references to its tasks.
        self.__task = loop.create_task(self.__run(context))
        return None

    # -- life of the process -----------------------------------------------------------------

    async def __run(self, context: "LaunchContext") -> None:
        """Run the process to its end for good; errors go to the launch service."""
        assert self.__completed is not None
        try:
            await self.__run_repeatedly(context)
            if self.__terminator is not None:
                await self.__terminator
        except Exception as error:
            self.__completed.set_exception(error)
        else:
            self.__completed.set_result(None)

    async def __run_repeatedly(self, context: "LaunchContext") -> None:
        """Run the process, again and again if it respawns."""
        assert self.__ending is not None
        while not self.__ending.is_set():
            if not await self.__run_once(context):
                return
            if self.__ending.is_set() or self.__retries_left == 0:
                return
            self.__retries_left -= 1
            try:
                await asyncio.wait_for(self.__ending.wait(), self.__respawn_delay or 0.0)
            except TimeoutError:
                continue

    async def __run_once(self, context: "LaunchContext") -> bool:
        """Run the process to its end; say whether it could be started."""
        description = self.__description
        cmd = description.final_cmd
        environment = description.final_env
        assert cmd is not None
        assert environment is not None
        if self.__shell:
            cmd = [" ".join(cmd)]
        if self.__log_cmd:
            self.__logger.info(f"process details: cmd='{' '.join(cmd)}', cwd='{description.cwd}'")
        details: dict[str, Any] = {
            "action": self,
            "name": description.final_name,
            "cmd": cmd,
            "cwd": description.final_cwd,
            "env": environment,
        }

        def on_output(descriptor: int, chunk: bytes) -> None:
            event = ProcessStdout if descriptor == STDOUT else ProcessStderr
            context.emit_event_sync(event(text=chunk, **details))
            self.__output_log.write(descriptor, chunk)

        try:
            child = ChildProcess(
                cmd,
                loop=asyncio.get_running_loop(),
                guardian=context._guardian,
                on_output=on_output,
                cwd=description.final_cwd,
                environment=environment,
                shell=self.__shell,
                emulate_tty=self.__tty,
            )
        except OSError as error:
            self.__logger.error(f"exception occurred while executing process: {error}")
            self.__logger.debug(traceback.format_exc())
            return False
        self.__child = child
        details["pid"] = child.pid
        self.__details = details
        self.__logger.info(f"process started with pid [{child.pid}]")
        context.emit_event_sync(ProcessStarted(**details))
        returncode = await child.exited
        self.__output_log.flush()
        if returncode == 0:
            self.__logger.info(f"process has finished cleanly [pid {child.pid}]")
        else:
            self.__logger.error(
                f"process has died [pid {child.pid}, exit code {returncode}, "
                f"cmd '{' '.join(cmd)}']."
            )
        context.emit_event_sync(ProcessExited(returncode=returncode, **details))
        return True

    async def __terminate(self) -> None:
        """SIGINT, then SIGTERM, then SIGKILL, to the group of the process."""
        assert self.__child is not None
        name = self.__description.final_name
        signals = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]
        for number, timeout_s in zip(signals, [*self.__timeouts_s, None], strict=True):
            self.__logger.info(f"sending signal '{number.name}' to process[{name}]")
            try:
                self.__child.send_signal_to_group(number)
            except PermissionError as error:  # sudo and the like: it may still end by itself
                self.__logger.error(f"cannot send '{number.name}' to process[{name}]: {error}")
            try:
                await asyncio.wait_for(asyncio.shield(self.__child.exited), timeout_s)
                return
            except TimeoutError:
                following = signals[signals.index(number) + 1].name
                self.__logger.error(
                    f"process[{name}] failed to terminate '{timeout_s:g}' seconds after "
                    f"receiving '{number.name}', escalating to '{following}'"
                )

    # -- events ------------------------------------------------------------------------------

    def __register_handlers(self, context: "LaunchContext") -> None:
        handlers: list[BaseEventHandler] = [
            OnShutdown(on_shutdown=lambda event, context: self.__end()),
            EventHandler(
                matcher=lambda event: isinstance(event, ShutdownProcess),
                entities=[OpaqueFunction(function=self.__end_if_meant)],
            ),
            EventHandler(
                matcher=lambda event: isinstance(event, SignalProcess),
                entities=[OpaqueFunction(function=self.__signal_if_meant)],
            ),
        ]
        if self.__on_exit is not None:
            handlers.append(OnProcessExit(target_action=self, on_exit=self.__on_exit))
        for handler in handlers:
            context.register_event_handler(handler)

    def __end_if_meant(self, context: "LaunchContext") -> None:
        if context.locals.event.process_matcher(self):
            self.__end()

    def __end(self) -> None:
        assert self.__ending is not None
        if self.__ending.is_set():
            return
        self.__ending.set()
        if self.__child is not None and not self.__child.exited.done():
            self.__terminator = asyncio.create_task(self.__terminate())

    def __signal_if_meant(self, context: "LaunchContext") -> None:
        event = context.locals.event
        if not event.process_matcher(self):
            return
        if self.__child is None:
            raise RuntimeError(f"{event.signal_name} for a process that has not started")
        self.__logger.info(
            f"sending signal '{event.signal_name}' to process[{self.__description.final_name}]"
        )
        self.__child.send_signal(event.signal)
