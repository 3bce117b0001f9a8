"""A session that is bound to a run, and hooks called in it as the host would."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.hosts import claude
from babysitter.library import resolve
from babysitter.runs.creation import create
from babysitter.runs.iterate import iterate
from babysitter.runs.results import Answer, accept
from babysitter.runs.run import Run
from babysitter.sessions.binding import bind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from babysitter.engine.state import Effect
    from babysitter.hosts.calls import Answer as Told

SESSION = "0aa7e79f-48aa-4020-a956-486128ab6fa5"
OTHER = "99c2e347-fa6a-4495-b1ac-a967b84e9ddb"
PROCESS = """
from babysitter import Failed, agent, shell

N = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}

@agent(returns=N)
def ask(n):
    return f"Give {n} as n."

@agent
def tell(n):
    return f"Say {n}."

@shell
def count(n):
    return ["echo", str(n)]

async def process(inputs, ctx):
"""
PERSON = {"CLAUDE_CODE_SESSION_ATTENDED": "1", "CLAUDE_PID": str(os.getpid())}


class Session:
    """A session bound to a run, in which hooks are called."""

    def __init__(self, run: Run) -> None:
        self.folder = run.folder
        self.environ = {"CLAUDE_PROJECT_DIR": run.project, **PERSON}

    @property
    def run(self) -> Run:
        """The run, as it is on the disk now."""
        return Run(self.folder).load()

    def pending(self, kind: str) -> Effect:
        """The one effect of that kind that waits."""
        (effect,) = [effect for effect in self.run.state.pending.values() if effect.kind == kind]
        return effect

    def call(self, event: str, session: str = SESSION, **payload: Any) -> Told:
        """Call a hook with what the host would say."""
        from babysitter.hooks.entry import _act

        return _act(claude.read(event, {"session_id": session, **payload}, self.environ))

    def launch(self, agent: str, effect: str) -> Told:
        """Tell that a subagent was started for an effect, in the background."""
        return self.call(
            "after-tool",
            tool_name="Agent",
            tool_input={"prompt": f"[effect:{effect}] do it"},
            tool_response={"status": "async_launched", "agentId": agent},
        )

    def answer(self, value: Any, kind: str = "agent") -> None:
        """Resolve the one effect of that kind that waits."""
        run = self.run
        effect = self.pending(kind)
        (verdict,) = accept(run, [Answer(effect.id, "ok", value, executor="test")])
        assert verdict.error is None


@pytest.fixture
def bound(project: Path) -> Callable[..., Session]:
    """Makes a run of a process with this body, with its first iteration done, and binds the session to it."""

    def make(body: str, run_id: str = "job") -> Session:
        lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
        (project / f"{run_id}.py").write_text(PROCESS + lines + "\n")
        entry = resolve(str(project / f"{run_id}.py"))
        runs = str(project / ".a5c" / "runs")
        run = create(runs, entry, {}, project=str(project), version="0", run_id=run_id).load()
        bind(run, "claude-code", SESSION)
        iterate(run)
        return Session(run)

    return make


@pytest.fixture
def seen(home: Path) -> None:
    """The start of the session was seen, in this very process."""
    folder = home / "sessions" / SESSION
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "host").write_text(f"{os.getpid()}\n\n\n\n")


@pytest.fixture(autouse=True)
def called(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hooks are called by the test in its own process, and whatever has started that is none of theirs."""
    for module in ("doubt", "begin"):
        monkeypatch.setattr(f"babysitter.hooks.{module}.is_called_by_host", lambda call: True)
    monkeypatch.setattr("babysitter.sessions.presence._environment_of", lambda pid: b"HOME=/h\0")
