"""Rules of a user in runs: what they answer, what stands in the journal of it, and what they count by."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.errors import CorruptRules, ResultRejected
from babysitter.ids import sha256_hex
from babysitter.library import resolve
from babysitter.rulebook import add
from babysitter.rules import Rule
from babysitter.runs import answered
from babysitter.runs.answering import decide
from babysitter.runs.creation import create
from babysitter.runs.folder import open_run
from babysitter.runs.forks import Told, fork
from babysitter.runs.iterate import iterate
from babysitter.runs.policy import Policy
from babysitter.runs.results import accept, find_effect

if TYPE_CHECKING:
    from pathlib import Path

    from projects import Project

    from babysitter.runs.run import Run

# What `ctx.breakpoint` describes, with whatever a test wants to stand in it.
ASK = """
gate = define_task("gate", lambda args: {
    "kind": "breakpoint", "title": "Deploy", "breakpoint": {"question": "Deploy?", **args["more"]}
})
"""
ONE = (
    ASK
    + """
async def process(inputs, ctx):
    return await ctx.task(gate, more=inputs)
"""
)
DEPLOY = {"id": "confirm.deploy", "tags": ["prod"]}
YES = Rule("yes", "always", match="confirm.*")


def begin(project: Project, name: str = "r", source: str = ONE, more: Any = None, **options: Any) -> Run:
    """A run, iterated once."""
    run = project.create(source, DEPLOY if more is None else more, run_id=name, **options).load()
    iterate(run)
    return run


def answer(
    run: Run, approved: bool = True, *, assurance: str = "terminal", option: str | None = None
) -> None:
    """What somebody says to the one open breakpoint."""
    (effect,) = run.state.pending.values()
    (verdict,) = accept(run, [decide(run, effect, approved, by="me", assurance=assurance, option=option)])
    assert verdict.error is None


def evidence(project: Project, name: str = "r") -> dict[str, Any]:
    (resolved,) = project.data_of("EFFECT_RESOLVED", name)
    found: dict[str, Any] = resolved["evidence"]
    return found


def test_a_rule_answers_and_the_journal_says_which(project: Project) -> None:
    add(YES)
    run = begin(project)
    assert (run.state.status, run.output()["approved"], run.output()["respondedBy"]) == (
        "completed",
        True,
        "rule yes",
    )
    told = evidence(project)
    assert (told["assurance"], told["rule"], told["ruleDigest"]) == ("rule", "yes", YES.digest)
    assert sha256_hex(told["ruleText"].encode()) == told["ruleDigest"]


def test_a_rule_chooses_the_option_that_it_names(project: Project) -> None:
    add(Rule("live", "always", match="*", option="live"))
    assert begin(project, more={**DEPLOY, "options": ["staging", "live"]}).output()["option"] == "live"


def test_one_breakpoint_after_the_other_is_answered_in_one_iteration(project: Project) -> None:
    add(YES)
    source = (
        ASK
        + """
async def process(inputs, ctx):
    return [(await ctx.task(gate, more={"id": f"confirm.{n}"}))["approved"] for n in range(3)]
"""
    )
    assert begin(project, source=source).output() == [True] * 3


@pytest.mark.parametrize(
    "more",
    [
        {"id": "other"},
        {},
        {**DEPLOY, "assurance": "dialog"},
        {**DEPLOY, "strategy": "quorum", "quorum": 2},
        {**DEPLOY, "expert": ["owner", "lawyer"]},
    ],
)
def test_what_no_rule_answers_stays_open(project: Project, more: dict[str, Any]) -> None:
    add(YES)
    assert [effect.kind for effect in begin(project, more=more).state.pending.values()] == ["breakpoint"]


def test_a_rule_that_was_added_later_answers_what_is_open(project: Project) -> None:
    begin(project)
    add(YES)
    assert project.iterate().status == "completed"


def test_never_keeps_a_policy_from_answering(project: Project) -> None:
    add(Rule("ask", "never", tags=["prod"]))
    run = begin(project, options={"breakpoints": "policy"})
    assert len(run.state.pending) == 1


def test_a_policy_answers_what_rules_are_silent_about(project: Project) -> None:
    add(Rule("ask", "never", tags=["other"]))
    begin(project, options={"breakpoints": "policy"})
    assert evidence(project)["assurance"] == "policy"


def test_a_rule_comes_before_the_policy(project: Project) -> None:
    add(YES)
    begin(project, options={"breakpoints": "policy"})
    assert evidence(project)["assurance"] == "rule"


def test_rules_count_in_a_run_that_an_agent_works_on(project: Project) -> None:
    add(YES)
    begin(project, session=("claude-code", "s-1"))
    assert (project.open().is_guarded, evidence(project)["assurance"]) == (True, "rule")


def test_a_rule_is_only_for_its_project_and_its_process(project: Project) -> None:
    add(Rule("other-project", "always", project="/work/other"))
    add(Rule("other-process", "always", process="other"))
    assert len(begin(project).state.pending) == 1
    add(Rule("this", "always", project=str(project.folder), process="proj*"))
    assert project.iterate().status == "completed"


def test_nobody_can_answer_at_the_level_of_a_rule_what_demands_more(project: Project) -> None:
    run = begin(project, more={**DEPLOY, "assurance": "dialog"})
    with pytest.raises(ResultRejected, match="this answer has 'rule'"):
        decide(run, find_effect(run, "1"), True, by="rule x", assurance="rule")


def test_what_is_said_of_an_open_breakpoint_is_found_out_once_until_the_rules_change(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, asked = begin(project), []
    monkeypatch.setattr(
        "babysitter.runs.policy.deciding", lambda rules, *rest: asked.append(len(rules)) or None
    )
    add(Rule("a", "never", tags=["other"]))
    policy = Policy(run)
    found = [policy.answers(), policy.answers()]
    add(Rule("b", "never", tags=["other"]))
    assert (found, policy.answers(), asked) == ([[], []], [], [1, 2])


# Rules that cannot be read


def test_rules_that_cannot_be_read_stop_the_iteration_and_answer_nothing(
    project: Project, home: Path
) -> None:
    (home / "rules.json").write_text("{")
    with pytest.raises(CorruptRules):
        begin(project, options={"breakpoints": "policy"})
    assert (len(project.open().state.pending), project.types()[-1]) == (1, "EFFECT_REQUESTED")


def test_where_no_breakpoint_is_open_rules_are_not_even_read(project: Project, home: Path) -> None:
    (home / "rules.json").write_text("{")
    assert begin(project, source="async def process(inputs, ctx):\n    return 1\n").output() == 1


def test_rules_that_cannot_be_read_are_no_failure_of_a_child(project: Project, home: Path) -> None:
    (home / "rules.json").write_text("{")
    source = (
        ONE.replace("def process", "def child")
        + """
async def process(inputs, ctx):
    return await ctx.subprocess(child, inputs)
"""
    )
    with pytest.raises(CorruptRules):
        begin(project, source=source)
    assert "EFFECT_RESOLVED" not in project.types()
    (home / "rules.json").unlink()
    assert project.iterate().status == "waiting"


# Rules that count what people have said before

COUNTING = Rule("counting", "always", match="confirm.*", after=2)


def approve(project: Project, *names: str, **told: Any) -> None:
    """Runs in which a person has said yes."""
    for name in names:
        answer(begin(project, name), **told)


def is_answered(project: Project, rule: Rule = COUNTING, name: str = "new", more: Any = None) -> bool:
    """Whether a rule answers the breakpoint of a new run."""
    add(rule)
    return not begin(project, name, more=more).state.pending


def test_a_rule_answers_once_a_person_has_approved_so_often(project: Project) -> None:
    approve(project, "a")
    assert not is_answered(project)
    answer(project.open("new"))
    assert is_answered(project, name="newer")
    told = evidence(project, "newer")["ruleApprovals"]
    assert [each["run"] for each in told] == ["new", "a"]


def test_a_no_breaks_the_row(project: Project) -> None:
    approve(project, "a", "b")
    approve(project, "c", approved=False)
    approve(project, "d")
    assert not is_answered(project)


def test_a_no_before_the_row_does_not(project: Project) -> None:
    approve(project, "a", approved=False)
    approve(project, "b", "c")
    assert is_answered(project)


def test_an_approval_of_another_option_breaks_the_row(project: Project) -> None:
    more = {**DEPLOY, "options": ["staging", "live"]}
    for name, option in (("a", "staging"), ("b", "live"), ("c", "staging")):
        answer(begin(project, name, more=more), option=option)
    assert not is_answered(project, more=more)


def test_an_answer_by_policy_or_by_a_rule_neither_counts_nor_breaks_the_row(project: Project) -> None:
    approve(project, "a")
    begin(project, "b", options={"breakpoints": "policy"})
    add(Rule("once", "always", match="confirm.*", project=str(project.folder)))
    begin(project, "c")
    os.unlink(os.path.join(os.environ["BABYSITTER_HOME"], "rules.json"))
    assert not is_answered(project)
    answer(project.open("new"))
    assert is_answered(project, name="newer")


def test_an_answer_of_which_nobody_knows_who_gave_it_does_not_count(project: Project) -> None:
    approve(project, "a", "b")
    approve(project, "c", "d", assurance="script")
    assert is_answered(project, Rule("three", "always", match="*", after=3)) is False
    assert is_answered(project, name="newer")


def test_a_breakpoint_of_another_id_does_not_count(project: Project) -> None:
    approve(project, "a")
    answer(begin(project, "b", more={"id": "confirm.format"}))
    assert not is_answered(project)


def test_a_breakpoint_without_an_id_cannot_be_counted(project: Project) -> None:
    for name in ("a", "b"):
        answer(begin(project, name, more={"tags": ["prod"]}))
    assert not is_answered(project, Rule("r", "always", tags=["prod"], after=1), more={"tags": ["prod"]})


def test_what_a_rule_is_not_about_does_not_count_for_it(project: Project) -> None:
    for name in ("a", "b"):
        answer(begin(project, name, more={"id": "confirm.deploy"}))
    assert not is_answered(project, Rule("r", "always", tags=["prod"], after=1))


LOOP = (
    ASK
    + """
async def process(inputs, ctx):
    return [(await ctx.task(gate, more=inputs))["approved"] for n in range(3)]
"""
)


def test_what_was_approved_in_the_same_run_does_not_count(project: Project) -> None:
    run = begin(project, "r", LOOP)
    add(COUNTING)
    for _ in range(2):
        answer(run)
        iterate(run)
    assert len(run.state.pending) == 1


def test_a_no_in_the_same_run_breaks_the_row(project: Project) -> None:
    approve(project, "a", "b")
    run = begin(project, "r", LOOP)
    answer(run, approved=False)
    add(COUNTING)
    assert iterate(run).status == "waiting"


def test_of_answers_in_the_same_moment_the_last_is_the_newest(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("babysitter.runs.run.now_ms", lambda: 1_700_000_000_000)
    run = begin(project, "r", LOOP)
    for approved in (False, True):
        answer(run, approved)
        iterate(run)
    found = [each for each in answered.newest_first(run.limits) if isinstance(each, answered.Answered)]
    assert [each.approved for each in found] == [True, False]


def test_what_was_approved_in_the_same_run_does_not_count_by_whatever_way_it_is_reached(
    project: Project, tmp_path: Path
) -> None:
    begin(project, "r", LOOP)
    (tmp_path / "way").symlink_to(project.folder)
    run = open_run("r", str(tmp_path / "way" / ".a5c" / "runs")).load()
    add(Rule("once", "always", match="confirm.*", after=1))
    answer(run)
    assert iterate(run).status == "waiting"


def test_a_run_that_cannot_be_read_may_hold_a_no(project: Project) -> None:
    approve(project, "a", "b", "c")
    (project.runs_dir / "c" / "run.json").write_text("{")
    assert not is_answered(project)


def test_a_folder_of_runs_that_cannot_be_listed_may_hold_a_no(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve(project, "a", "b", "c")

    def refuse(place: str) -> list[str]:
        raise PermissionError(13, "Permission denied", place)

    monkeypatch.setattr("babysitter.runs.folder.run_ids", refuse)
    assert not is_answered(project)


def test_one_that_was_changed_long_before_does_not_matter(project: Project) -> None:
    approve(project, "a", "b", "c")
    (project.runs_dir / "a" / "run.json").write_text("{")
    os.utime(project.runs_dir / "a" / "journal", (1, 1))
    assert is_answered(project)


def test_no_more_runs_are_read_than_are_needed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    approve(project, "a", "b", "c", "d")
    for number, name in enumerate("abcd"):
        at = 1_000_000_000 + number * 1000
        os.utime(project.runs_dir / name / "journal", (at, at))
    read: list[str] = []
    before = answered.answered_in
    monkeypatch.setattr(
        answered,
        "answered_in",
        lambda folder, limits: read.append(os.path.basename(folder)) or before(folder, limits),
    )
    assert is_answered(project)
    # Those two, and the one that asks; the clock of these journals is later than that of their folders.
    assert read[:3] == ["new", "d", "c"]


def test_the_runs_of_other_projects_count_as_well(project: Project, tmp_path: Path) -> None:
    approve(project, "a")
    other = tmp_path / "other"
    run = create(
        str(other / ".a5c" / "runs"),
        resolve(str(project.folder / "process.py")),
        DEPLOY,
        project=str(other),
        version="0",
        run_id="far",
    ).load()
    iterate(run)
    answer(run)
    assert is_answered(project)
    assert {each["run"] for each in evidence(project, "new")["ruleApprovals"]} == {"a", "far"}


def test_a_copy_of_an_answer_in_a_fork_counts_once(project: Project) -> None:
    source = (
        ASK
        + """
async def process(inputs, ctx):
    await ctx.task(gate, more=inputs)
    await ctx.task(ask, question="more")
"""
    )
    answer(begin(project, "a", source))
    iterate(project.open("a"))
    run = open_run("a", str(project.runs_dir))
    fork(run, "2", "copy", runs_dir=str(project.runs_dir), version="0", told=Told(run))
    assert len(project.data_of("EFFECT_RESOLVED", "copy")) == 1
    assert not is_answered(project)
