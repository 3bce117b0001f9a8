"""What of asyncio a process cannot have: the run is stuck at the author's line, whoever catches what."""

from __future__ import annotations

import asyncio
import inspect
import signal
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.engine.loop_replay import LoopReplay
from tests.support.rounds import a_task, line_of, start

if TYPE_CHECKING:
    from collections.abc import Callable

step = a_task("step")


async def nothing() -> None: ...


def with_runner() -> None:
    with asyncio.Runner() as runner:
        runner.run(nothing())


def now() -> Any:
    """The loop of the process."""
    return asyncio.get_running_loop()


# What is called, what the error names, and a word of what to write instead.
REFUSED: list[tuple[Callable[[], Any], str, str]] = [
    (lambda: asyncio.to_thread(print), "asyncio.to_thread", "@python"),
    (lambda: now().run_in_executor(None, print), "'run_in_executor' of the event loop", "@python"),
    (lambda: now().call_soon_threadsafe(print), "'call_soon_threadsafe' of the event loop", "@python"),
    (lambda: asyncio.run_coroutine_threadsafe(nothing(), now()), "run_coroutine_threadsafe", "@python"),
    (lambda: asyncio.create_subprocess_exec("true"), "asyncio.create_subprocess_exec", "@shell"),
    (lambda: asyncio.create_subprocess_shell("true"), "asyncio.create_subprocess_shell", "@shell"),
    (lambda: asyncio.open_connection("localhost", 1), "asyncio.open_connection", "@shell task"),
    (lambda: asyncio.start_server(print, "localhost", 1), "asyncio.start_server", "@shell task"),
    (lambda: asyncio.open_unix_connection("x"), "asyncio.open_unix_connection", "@shell task"),
    (lambda: now().getaddrinfo("localhost", 1), "'getaddrinfo' of the event loop", "@shell task"),
    (lambda: now().sock_recv(None, 1), "'sock_recv' of the event loop", "@shell task"),
    (lambda: now().add_reader(0, print), "'add_reader' of the event loop", "@shell task"),
    (lambda: now().add_signal_handler(signal.SIGTERM, print), "'add_signal_handler'", "ctx.halt"),
    (lambda: asyncio.run(nothing()), "asyncio.run", "`await` the coroutine"),
    (with_runner, "asyncio.Runner.__enter__", "`await` the coroutine"),
    (asyncio.new_event_loop, "asyncio.new_event_loop", "`await` the coroutine"),
    (lambda: now().run_until_complete(nothing()), "'run_until_complete'", "`await` the coroutine"),
    (lambda: now().stop(), "'stop' of the event loop", "`await` the coroutine"),
    (asyncio.Future, "asyncio.Future(…)", "create_future()"),
    (lambda: asyncio.Task(nothing(), loop=now()), "asyncio.Task(…)", "create_task(…)"),
    (lambda: now().create_task(nothing(), eager_start=True), "eager_task_factory", "create_task"),
    (lambda: now().set_task_factory(print), "'set_task_factory'", "create_task"),
    (lambda: now().set_exception_handler(print), "'set_exception_handler'", "docs/asyncio.md"),
]


def name(case: Any) -> str | None:
    return case if isinstance(case, str) else None


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize(("call", "what", "cure"), REFUSED, ids=name)
def test_what_reaches_outside_of_the_process_is_refused(call: Any, what: str, cure: str) -> None:
    async def process(_: Any, ctx: Any) -> Any:
        try:
            begun = call()
            return await begun if inspect.isawaitable(begun) else begun
        except BaseException:
            return "swallowed"

    run = start(process, replay=LoopReplay)
    assert (run.end and run.end.status, type(run.error).__name__) == ("stuck", "ForeignAwait")
    assert (what in str(run.error), cure in run.error.hint) == (True, True)  # type: ignore[attr-defined]


def test_the_error_names_the_line_that_asked_for_it() -> None:
    async def process(_: Any, ctx: Any) -> Any:
        await asyncio.to_thread(print)  # here

    run = start(process, replay=LoopReplay)
    assert run.end is not None
    assert run.end.place == line_of(process)


def test_of_a_task_that_is_all_asyncios_the_error_names_the_line_that_made_it() -> None:
    async def process(_: Any, ctx: Any) -> Any:
        await asyncio.gather(ctx.task(step), asyncio.to_thread(print))  # here

    run = start(process, replay=LoopReplay)
    assert run.end is not None
    assert run.end.place == line_of(process)


def test_a_future_of_another_loop_is_refused_at_its_line() -> None:
    loop = asyncio.new_event_loop()
    loop.close()

    async def process(_: Any, ctx: Any) -> Any:
        await loop.create_future()

    run = start(process, replay=LoopReplay)
    assert (run.end and run.end.status, type(run.error).__name__) == ("stuck", "ForeignAwait")


def test_what_is_no_coroutine_makes_no_task() -> None:
    async def process(_: Any, ctx: Any) -> Any:
        try:
            asyncio.create_task(print)  # type: ignore[arg-type] # noqa: RUF006
        except TypeError as error:
            return str(error).partition(" (")[0].partition(",")[0]

    assert start(process, replay=LoopReplay).result == "a coroutine was expected"


def test_asyncio_is_as_it_was_where_no_process_runs() -> None:
    async def main() -> list[Any]:
        values = [await each for each in asyncio.as_completed([asyncio.sleep(0, "a")])]
        gathered = asyncio.gather(asyncio.sleep(0, "b"))
        return [*values, hash(gathered) == object.__hash__(gathered), *await gathered]

    assert asyncio.run(main()) == ["a", True, "b"]
