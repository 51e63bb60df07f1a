"""LaunchService: idle, shutdown, errors, threads, timers."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from launch import Event, EventHandler, LaunchContext, LaunchDescription, LaunchService
from launch.actions import (
    EmitEvent,
    ExecuteProcess,
    LogInfo,
    OpaqueCoroutine,
    OpaqueFunction,
    RegisterEventHandler,
    Shutdown,
    TimerAction,
    UnregisterEventHandler,
)
from launch.event_handlers import OnExecutionComplete, OnShutdown
from launch.events import Shutdown as ShutdownEvent

Run = Callable[..., int]


def call(function: Callable[[], object]) -> OpaqueFunction:
    def without_result(context: LaunchContext) -> None:
        function()

    return OpaqueFunction(function=without_result)


def test_an_idle_launch_shuts_down(run: Run) -> None:
    reasons: list[str] = []
    handler = OnShutdown(on_shutdown=lambda event, context: reasons.append(event.reason))
    assert run(RegisterEventHandler(handler)) == 0
    assert reasons == ["idle"]


def test_an_exception_shuts_down_with_one_line(run: Run, capsys) -> None:
    process = ExecuteProcess(cmd=["sleep", "60"])
    assert run(process, call(lambda: 1 / 0)) == 1
    assert process.return_code == -2
    out = capsys.readouterr().out
    assert "Caught exception in launch (see debug for traceback): division by zero" in out
    assert "Traceback" not in out


def test_debug_shows_the_traceback(run: Run, capsys) -> None:
    assert run(call(lambda: 1 / 0), debug=True) == 1
    assert "ZeroDivisionError" in capsys.readouterr().out


def test_an_exception_during_shutdown_counts(run: Run) -> None:
    def fail(event: Event, context: LaunchContext) -> None:
        raise RuntimeError("late")

    assert run(RegisterEventHandler(OnShutdown(on_shutdown=fail))) == 1


def test_shutdown_happens_once_with_its_first_reason(run: Run) -> None:
    reasons: list[str] = []
    handler = OnShutdown(on_shutdown=lambda event, context: reasons.append(event.reason))
    run(RegisterEventHandler(handler), Shutdown(reason="first"), Shutdown(reason="second"))
    assert reasons == ["first"]


def test_another_thread_can_emit_include_and_shut_down() -> None:
    service = LaunchService()
    started, visited = threading.Event(), threading.Event()
    codes: list[int] = []
    service.include_launch_description(LaunchDescription([call(started.set)]))
    thread = threading.Thread(target=lambda: codes.append(service.run(shutdown_when_idle=False)))
    thread.start()
    assert started.wait(5)
    service.include_launch_description(LaunchDescription([call(visited.set)]))
    assert visited.wait(5)
    assert thread.is_alive()
    with pytest.raises(RuntimeError, match="running already"):
        service.run()
    service.shutdown()
    thread.join(5)
    assert not thread.is_alive()
    assert codes == [0]


def test_shutdown_of_a_service_that_does_not_run_does_nothing() -> None:
    service = LaunchService()
    service.shutdown()
    service.include_launch_description(LaunchDescription([]))
    assert service.run() == 0


def test_run_async_in_a_loop_of_the_user() -> None:
    async def main() -> int:
        service = LaunchService()
        service.include_launch_description(LaunchDescription([ExecuteProcess(cmd=["true"])]))
        assert service.event_loop is None
        return await service.run_async()

    assert asyncio.run(main()) == 0


def test_cancelling_run_async_ends_the_processes() -> None:
    action = ExecuteProcess(cmd=["sleep", "60"])

    async def main() -> None:
        service = LaunchService()
        service.include_launch_description(LaunchDescription([action]))
        task = asyncio.create_task(service.run_async())
        while action.process_details is None:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(main())
    assert action.return_code == -2


def test_timers_fire_in_their_order(run: Run) -> None:
    seen: list[str] = []
    run(
        TimerAction(period=0.1, actions=[call(lambda: seen.append("late"))]),
        TimerAction(period="0.01", actions=[call(lambda: seen.append("early"))]),
    )
    assert seen == ["early", "late"]


def test_shutdown_and_cancel_stop_timers(run: Run) -> None:
    seen: list[str] = []
    cancelled = TimerAction(period=0.05, actions=[call(lambda: seen.append("cancelled"))])
    stays = TimerAction(
        period=0.05, actions=[call(lambda: seen.append("stays"))], cancel_on_shutdown=False
    )
    run(
        cancelled,
        call(cancelled.cancel),
        stays,
        TimerAction(period=60.0, actions=[]),
        Shutdown(),
    )
    assert seen == ["stays"]


def test_coroutines_keep_the_launch_and_end_with_it(run: Run) -> None:
    seen: list[str] = []

    async def quick(context: LaunchContext, text: str) -> None:
        await asyncio.sleep(0.01)
        seen.append(text)

    async def endless() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            seen.append("cancelled")

    first = OpaqueCoroutine(coroutine=quick, args=["done"])
    run(
        RegisterEventHandler(OnExecutionComplete(target_action=first, on_completion=[Shutdown()])),
        OpaqueCoroutine(coroutine=endless, ignore_context=True),
        first,
    )
    assert seen == ["done", "cancelled"]


def test_an_exception_in_a_coroutine_counts(run: Run, capsys) -> None:
    async def fail(context: LaunchContext) -> None:
        raise ValueError("in coroutine")

    assert run(OpaqueCoroutine(coroutine=fail)) == 1
    assert "in coroutine" in capsys.readouterr().out


class Knock(Event):
    name = "Knock"


def test_handlers_once_and_unregistered(run: Run) -> None:
    seen: list[str] = []

    def handler(text: str, once: bool) -> EventHandler:
        return EventHandler(
            matcher=lambda event: isinstance(event, Knock),
            entities=call(lambda: seen.append(text)),
            handle_once=once,
        )

    always = handler("always", False)
    run(
        RegisterEventHandler(always),
        RegisterEventHandler(handler("once", True)),
        EmitEvent(event=Knock()),
        EmitEvent(event=Knock()),
        TimerAction(period=0.05, actions=[UnregisterEventHandler(always)]),
        TimerAction(
            period=0.1,
            actions=[
                RegisterEventHandler(handler("after", True)),
                EmitEvent(event=Knock()),
            ],
        ),
    )
    assert seen == ["once", "always", "always", "after"]


def test_an_event_that_nobody_handles_is_no_error(run: Run) -> None:
    assert run(EmitEvent(event=Knock())) == 0
    with pytest.raises(TypeError, match=r"must be a launch\.Event, got str"):
        EmitEvent(event="knock")


def test_an_event_emitted_before_the_run_is_handled_in_it() -> None:
    service = LaunchService()
    service.emit_event(ShutdownEvent(reason="early"))
    assert service.run(shutdown_when_idle=False) == 0


def test_what_a_handler_returns_has_to_be_entities(run: Run, capsys) -> None:
    assert run(OpaqueFunction(function=lambda context: ["text"])) == 1
    assert "expected launch entities, got str" in capsys.readouterr().out


def test_the_log_folder_is_announced_once(run: Run, capsys, log_folder) -> None:
    run(LogInfo(msg="one"))
    run(LogInfo(msg="two"))
    out = capsys.readouterr().out
    assert out.count(f"All log files can be found below {log_folder}") == 1
    assert "[INFO] [launch.user]: two" in out
