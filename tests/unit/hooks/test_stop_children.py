"""A session whose run has child runs: what is pending in them is handed out, asked and recorded as well."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from babysitter.cli.taking import take_command
from babysitter.doctor.checks import FAIL, PASS
from babysitter.doctor.session_checks import session_of_run
from babysitter.errors import TailRemoved
from babysitter.runs.children import family, find_child
from babysitter.runs.iterate import iterate
from babysitter.runs.results import Answer, accept
from babysitter.runs.run import Run
from babysitter.runs.stopping import cancel_effect
from babysitter.runs.taking import last_beat
from babysitter.sessions.agents import remember
from babysitter.sessions.binding import bind, binding_of
from babysitter.sessions.place import folder_of
from babysitter.sessions.progress import below_of, progress_of
from babysitter.sessions.takers import is_at_it
from tests.unit.hooks.conftest import SESSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from babysitter.engine.state import Effect
    from babysitter.hosts.calls import Answer as Told
    from tests.unit.hooks.conftest import Session

ASKS = "return await ctx.task(ask, n=1)"
GATED = "return (await ctx.breakpoint('Ship it?')).approved"


@pytest.fixture
def parent(bound: Callable[..., Session]) -> Callable[..., Session]:
    """Makes a bound run whose children have these bodies."""

    def make(*bodies: str) -> Session:
        for name, body in zip(("one", "two"), bodies, strict=False):
            bound(body, name)
        calls = [
            f"lambda: ctx.subprocess('{name}.py')" for name, _ in zip(("one", "two"), bodies, strict=False)
        ]
        return bound(f"return await ctx.parallel.all([{', '.join(calls)}])", "job")

    return make


def children(session: Session) -> list[Run]:
    return family(session.run)[1:]


def pending(run: Run) -> Effect:
    (effect,) = run.state.pending.values()
    return effect


def typed(session: Session, arguments: str) -> Told:
    about = {"command_name": "babysitter:approve", "command_source": "plugin"}
    return session.call("command", command_args=arguments, **about)


def test_what_is_pending_in_a_child_is_handed_out_with_its_name(parent: Callable[..., Session]) -> None:
    session = parent(ASKS)
    (child,) = children(session)
    effect = pending(child).id
    told = session.call("stop")
    assert told.kind == "go on"
    assert f"Run `babysitter show {child.run_id} {effect} --prompt`" in told.text
    assert f"`babysitter post {child.run_id} {effect} --value JSON`" in told.text


def test_effects_of_several_runs_are_listed_with_their_runs(parent: Callable[..., Session]) -> None:
    session = parent(ASKS, ASKS)
    told = session.call("stop").text
    assert "Run `babysitter show RUN ID --prompt`" in told
    for child in children(session):
        assert f"  {child.run_id} {pending(child).id} ask" in told


def test_work_of_the_parent_performs_what_is_for_it_in_a_child(parent: Callable[..., Session]) -> None:
    told = parent("return await ctx.task(count, n=1)").call("stop").text
    assert "`babysitter work job` in the background (1 shell)" in told


def test_what_a_subagent_says_is_recorded_in_the_child(parent: Callable[..., Session]) -> None:
    session = parent(ASKS)
    (child,) = children(session)
    remember(SESSION, "a1", pending(child).id)
    session.call("subagent-stop", agent_id="a1", last_assistant_message='{"n": 5}')
    assert children(session)[0].state.pending == {}
    session.call("stop")
    assert session.run.output() == [{"n": 5}]


def test_a_breakpoint_of_a_child_is_asked(parent: Callable[..., Session]) -> None:
    session = parent(GATED)
    (child,) = children(session)
    told = session.call("stop")
    assert f"[breakpoint:{pending(child).id}]" in told.text
    asked = session.call(
        "before-tool",
        tool_name="AskUserQuestion",
        tool_use_id="t1",
        tool_input={"questions": [{"question": f"[breakpoint:{pending(child).id}]"}]},
    )
    assert "Ship it?" in asked.input["questions"][0]["question"]


@pytest.mark.usefixtures("seen")
def test_a_person_answers_the_breakpoint_of_a_child_by_command(parent: Callable[..., Session]) -> None:
    session = parent(GATED)
    typed(session, "yes")
    session.call("stop")
    assert session.run.output() == [True]


@pytest.mark.usefixtures("seen")
def test_of_breakpoints_in_two_children_it_has_to_be_said_which(parent: Callable[..., Session]) -> None:
    session = parent(GATED, GATED)
    told = typed(session, "yes")
    assert "it has to be said which breakpoint" in told.text
    first = children(session)[0]
    typed(session, f"{pending(first).id} yes")
    session.call("stop")
    assert len(children(session)) == 1


def test_a_stuck_child_is_told_of(parent: Callable[..., Session]) -> None:
    session = parent("oops")
    (child,) = children(session)
    told = session.call("stop")
    assert (told.kind, f"run {child.run_id} is stuck" in told.text) == ("go on", True)


def test_a_stuck_child_keeps_the_others_from_nothing(parent: Callable[..., Session]) -> None:
    session = parent("oops", ASKS)
    told = session.call("stop").text
    assert "Its child run one-" in told
    assert "one subagent, with exactly this prompt" in told


def test_progress_in_a_child_is_progress(parent: Callable[..., Session]) -> None:
    session = parent("\n".join(f"await ctx.task(ask, n={n})" for n in range(9)))
    for _ in range(8):
        child = children(session)[0]
        remember(SESSION, "a1", pending(child).id)
        session.call("subagent-stop", agent_id="a1", last_assistant_message='{"n": 5}')
        assert session.call("stop").kind == "go on"


def test_the_session_goes_on_with_the_run_in_which_its_own_goes_on(bound: Callable[..., Session]) -> None:
    session = bound(
        "if inputs.get('last'):\n    return 'done'\nawait ctx.task(ask, n=1)\n"
        "ctx.continue_as_new({'last': True})"
    )
    session.answer({"n": 1})
    told = session.call("stop")
    assert (told.kind, "run job-c2 has completed" in told.text) == ("go on", True)
    assert binding_of(SESSION) is None


def test_the_session_is_bound_to_the_run_in_which_its_own_goes_on(bound: Callable[..., Session]) -> None:
    session = bound("await ctx.task(ask, n=1)\nctx.continue_as_new({'last': True})")
    session.answer({"n": 1})
    told = session.call("stop")
    found = binding_of(SESSION)
    assert found is not None
    assert (told.kind, found.run_id) == ("go on", "job-c2")
    assert "`babysitter show job-c2" in told.text


def test_a_subagent_takes_the_effect_of_a_child_there(parent: Callable[..., Session], seen: None) -> None:
    session = parent(ASKS)
    effect = pending(children(session)[0]).id
    session.launch("a1", effect)
    (child,) = children(session)
    taken = pending(child).taken or {}
    assert (taken["session"], taken["agent"], is_at_it(child, pending(child))) == (SESSION, "a1", True)
    session.call("before-tool", tool_name="Bash", tool_input={"command": "ls"}, agent_id="a1")
    assert last_beat(child.folder, effect) > 0


def test_one_that_is_gone_leaves_it_to_the_next(parent: Callable[..., Session], seen: None) -> None:
    session = parent(ASKS)
    session.launch("a1", pending(children(session)[0]).id)
    session.call("stop")
    (child,) = children(session)
    assert not is_at_it(child, pending(child))


def test_a_subagent_for_a_child_that_was_given_up_is_named(parent: Callable[..., Session]) -> None:
    session = parent(ASKS, ASKS)
    child, _ = children(session)
    effect = pending(child).id
    session.launch("a1", effect)
    run = session.run
    asked = next(each for each in run.state.pending.values() if find_child(run, each).run_id == child.run_id)
    cancel_effect(run, asked, by="anna")
    running = [{"id": "a1", "type": "subagent", "status": "running"}]
    told = session.call("stop", background_tasks=running)
    assert (told.kind, f"effect {effect} (ask) was cancelled: stop its subagent a1" in told.text) == (
        "go on",
        True,
    )


@pytest.mark.usefixtures("seen")
def test_to_cancel_an_effect_of_a_child_is_permitted_in_the_child(parent: Callable[..., Session]) -> None:
    session = parent(ASKS)
    effect = pending(children(session)[0]).id
    typed(session, f"cancel {effect}")
    (child,) = children(session)
    assert ([given["about"] for given in child.state.permits], session.run.state.permits) == (
        [{"effect": effect}],
        [],
    )


@pytest.mark.usefixtures("seen")
def test_a_person_accepts_the_edit_of_a_childs_process(parent: Callable[..., Session], project: Path) -> None:
    session = parent("await ctx.task(ask, n=1)\nawait ctx.breakpoint('Sure?')")
    (child,) = children(session)
    file = project / "one.py"
    file.write_text(file.read_text().replace("Sure?", "Really?"))
    told = session.call("stop")
    assert f"run {child.run_id} cannot go on: the process was edited (one.py)" in told.text
    assert "recorded" in typed(session, "edit").text
    assert "one subagent, with exactly this prompt" in session.call("stop").text


def test_what_a_subagent_says_finds_the_run_in_which_the_sessions_goes_on(
    bound: Callable[..., Session],
) -> None:
    session = bound("await ctx.task(ask, n=1)\nctx.continue_as_new({'last': True})")
    session.answer({"n": 1})
    following = iterate(session.run).run
    remember(SESSION, "a1", pending(following).id)
    session.call("subagent-stop", agent_id="a1", last_assistant_message='{"n": 5}')
    (effect,) = Run(following.folder).load().state.effects.values()
    assert effect.value == {"n": 5}


def test_what_the_session_itself_takes_of_a_child_does_not_free_it(
    parent: Callable[..., Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = parent(ASKS)
    (child,) = children(session)
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", SESSION)
    take_command.main([child.run_id, "--by", "nobody", "--lease", "24h", "--json"], standalone_mode=False)
    told = session.call("stop")
    assert (told.kind, f"show {child.run_id} {pending(child).id} --prompt" in told.text) == ("go on", True)


TWO = "await ctx.task(ask, n=1)\nawait ctx.task(ask, n=2)"


def cut(run: Run, count: int = 1) -> None:
    """Remove the end of a journal, and what remembers it in the run itself."""
    journal = Path(run.folder) / "journal"
    for name in sorted(os.listdir(journal))[-count:]:
        (journal / name).unlink()
    shutil.rmtree(Path(run.folder) / "state", ignore_errors=True)


def answered(session: Session, value: int) -> None:
    (child,) = children(session)
    accept(child, [Answer(pending(child).id, "ok", {"n": value}, executor="test")])


def test_a_childs_journal_without_what_the_session_has_seen_is_not_trusted(
    parent: Callable[..., Session],
) -> None:
    session = parent(TWO)
    answered(session, 1)
    session.call("stop")
    (child,) = children(session)
    cut(child, 2)
    for _ in range(2):
        with pytest.raises(TailRemoved, match="ends at event 2, and this session has seen event 4") as caught:
            session.call("stop")
        assert child.run_id in caught.value.message
    with pytest.raises(TailRemoved):
        bind(session.run, "claude-code", SESSION)


def test_another_end_of_a_childs_journal_is_not_what_was_seen(parent: Callable[..., Session]) -> None:
    session = parent(TWO)
    answered(session, 1)
    session.call("stop")
    cut(children(session)[0], 2)
    answered(session, 7)
    iterate(children(session)[0])
    with pytest.raises(TailRemoved):
        session.call("stop")


def test_a_child_that_is_gone_is_missed_as_long_as_it_is_waited_for(parent: Callable[..., Session]) -> None:
    session = parent(ASKS)
    session.call("stop")
    (child,) = children(session)
    shutil.rmtree(child.folder)
    with pytest.raises(TailRemoved, match="is not there any more") as caught:
        session.call("stop")
    run = session.run
    (asked,) = run.state.pending.values()
    cancel_effect(run, asked, by="anna")
    assert (f"babysitter cancel job {asked.id}" in caught.value.hint, session.call("stop").kind) == (
        True,
        "go on",
    )


def test_the_child_of_a_child_is_missed_too(bound: Callable[..., Session]) -> None:
    bound(ASKS, "one")
    bound("await ctx.subprocess('one.py')", "two")
    session = bound("await ctx.subprocess('two.py')")
    session.call("stop")
    below = children(session)[1]
    cut(below)
    with pytest.raises(TailRemoved, match=below.run_id):
        session.call("stop")


def test_a_child_that_goes_on_or_ends_is_not_missed(parent: Callable[..., Session]) -> None:
    session = parent(TWO)
    session.call("stop")
    answered(session, 1)
    session.call("stop")
    (child,) = children(session)
    answered(session, 2)
    session.call("stop")
    shutil.rmtree(child.folder)
    assert session.run.state.status == "completed"
    session.call("stop")


def test_what_was_seen_of_a_child_stands_while_its_parent_diverges(
    parent: Callable[..., Session], project: Path
) -> None:
    session = parent(ASKS)
    session.call("stop")
    before = below_of(progress_of(SESSION))
    file = project / "job.py"
    file.write_text(file.read_text().replace("one.py", "none.py"))
    told = session.call("stop")
    assert ("cannot go on" in told.text, len(before), below_of(progress_of(SESSION))) == (True, 1, before)


def test_what_was_written_of_no_children_is_read(bound: Callable[..., Session]) -> None:
    session = bound(ASKS)
    session.call("stop")
    file = Path(folder_of(SESSION)) / "progress.json"
    told = json.loads(file.read_text())
    assert told.pop("below") == []
    file.write_text(json.dumps(told))
    assert (below_of(progress_of(SESSION)), session.call("stop").kind) == ([], "go on")


def test_a_doctor_misses_the_end_of_a_childs_journal_as_well(parent: Callable[..., Session]) -> None:
    session = parent(TWO)
    answered(session, 1)
    session.call("stop")
    (child,) = children(session)
    assert session_of_run(session.run, "job").level == PASS
    cut(child, 2)
    assert session_of_run(session.run, "job").level == FAIL
