"""What other answers than the usual ones show of a process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from drawings import draw, nodes, ways

from babysitter.graphs.drawn import completed, drawn_process
from babysitter.graphs.shape import GROUP, every_line
from babysitter.graphs.untaken import is_from_source
from babysitter.testing import load
from babysitter.testing.processes import given

if TYPE_CHECKING:
    from babysitter.graphs.drawn import Drawn
    from babysitter.graphs.shape import Node

LIBRARY = Path(__file__).parents[3] / "processes"
# The modes of the groups of each process, in the order of reading; ``~`` is before those that only failures
# or other inputs lead to.
GROUPS = {
    "batch-files": ["map"],
    "bug-hunt": ["all", "all", "settled", "all"],
    "build-and-verify": ["settled", "settled", "settled"],
    "code-review": ["settled", "map", "map"],
    "deploy-services": ["settled", "~settled"],
    "migrate-files": ["map", "all"],
    "plan-review-implement": ["all", "all"],
    "quality-checks": ["all"],
    "tdd-convergence": ["all", "all", "all", "all", "all"],
    "triage-forever": ["map", "map"],
}


def nodes_of(drawn: Drawn) -> list[Node]:
    return [node for line in every_line(drawn.line) for node in line.nodes.values()]


def test_all_shipped_processes_are_looked_at() -> None:
    assert sorted(GROUPS) == sorted(path.parent.name for path in LIBRARY.glob("*/process.py"))


@pytest.mark.parametrize("name", GROUPS)
def test_the_groups_of_a_shipped_process_are_walked_through(name: str) -> None:
    source = given(load(LIBRARY / name / "process.py"))
    drawn = drawn_process(name, source, completed(source, {}))
    groups = [node for node in nodes_of(drawn) if node.kind == GROUP]
    inner = [node for group in groups for line in group.lines.values() for node in line.nodes.values()]
    assert [f"{'' if group.is_taken else '~'}{group.mode}" for group in groups] == GROUPS[name]
    assert [node.title for node in [*groups, *inner] if is_from_source(node.key)] == []
    assert drawn.notes == []


def test_checks_of_which_no_schema_says_anything_are_seen() -> None:
    source = given(load(LIBRARY / "quality-checks" / "process.py"))
    drawn = drawn_process("quality-checks", source, {})
    assert nodes(drawn) == [
        "start quality-checks",
        "python find the checks of .",
        "group all",
        "shell {tool}",
        "end end",
    ]


def test_where_a_failure_leads_is_walked_through_with_its_arm(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        async def process(inputs, ctx):
            try:
                await ctx.task(build)
            except TaskFailed:
                await ctx.parallel.all([ctx.task(check, name=name) for name in ("a", "b")])
            await ctx.task(draft)
        """,
    )
    assert ways(drawn) == [
        "drawn -> Build it",
        "Build it -> Write a draft",
        "Write a draft -> end",
        "Build it ~> all: except TaskFailed",
        "all ~> Write a draft",
    ]


def test_a_process_that_wants_a_failure_is_drawn_past_it(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        @shell(check=False)
        def reproduce():
            return ["false"]

        async def process(inputs, ctx):
            if (await ctx.task(reproduce)).ok:
                raise Failed("there is no bug")
            await ctx.parallel.map(["a", "b"], lambda name: ctx.task(check, name=name))
        """,
    )
    assert ways(drawn) == [
        "drawn -> reproduce",
        "reproduce -> map",
        "map -> end",
        "reproduce ~> failed: there is no bug",
    ]


def test_what_several_items_are_needed_for_is_come_to(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        @python
        def find() -> list[str]:
            "Find them"

        async def process(inputs, ctx):
            found = await ctx.task(find)
            if len(found) > 1:
                await ctx.parallel.map(found, lambda name: ctx.task(check, name=name))
            return len(set(found))
        """,
    )
    assert nodes(drawn) == ["start drawn", "python Find them", "group map", "shell check {name}", "end end"]


def test_a_score_that_is_high_enough_is_tried(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        @agent(returns={"type": "object", "required": ["score"],
                        "properties": {"score": {"type": "integer", "minimum": 0, "maximum": 100}}})
        def rate():
            "Rate it"
            return "Rate it"

        async def process(inputs, ctx):
            for round in range(3):
                if (await ctx.task(rate))["score"] > 90:
                    return await ctx.task(build)
            raise Failed("never good enough")
        """,
    )
    assert ways(drawn) == [
        "drawn -> Rate it",
        "Rate it -> Build it",
        "Build it -> end",
        "Rate it ~> Rate it (back)",
        "Rate it ~> failed: never good enough",
    ]


def test_inputs_that_are_empty_by_default_are_filled_for_what_they_lead_to(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        MORE = {"type": "array", "items": {"type": "string"}, "default": []}
        Inputs = {"type": "object", "properties": {"more": MORE}}

        async def process(inputs, ctx):
            await ctx.task(build)
            await ctx.parallel.map(inputs.get("more", []), lambda name: ctx.task(check, name=name))
        """,
    )
    assert nodes(drawn)[2:4] == ["~group map", "~shell check {name}"]


def test_keys_are_filled_as_the_source_uses_them(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        @shell(title="run {name}")
        def run(name, argv: list[str], env: dict[str, str]):
            return {"argv": argv, "env": env}

        @python
        def plan():
            "Plan it"

        def first(stages: list[dict]):
            return stages[0]

        async def process(inputs, ctx):
            found = await ctx.task(plan)
            stage = first(found["stages"])
            calls = [
                ctx.task(run, name=each["name"], argv=each["argv"], env={**found["env"], **each["env"]})
                for each in stage["steps"]
                if each["weight"] > 0
            ]
            await ctx.parallel.all(calls)
        """,
    )
    assert (nodes(drawn), drawn.notes) == (
        ["start drawn", "python Plan it", "group all", "shell run {name}", "end end"],
        [],
    )


def test_a_step_that_fails_and_is_not_caught_is_no_end_of_its_own(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        async def process(inputs, ctx):
            await ctx.task(build)
            if inputs.get("never"):
                await ctx.task(draft)
        """,
    )
    assert [node for node in nodes(drawn) if "failed" in node] == []


def test_each_reason_to_fail_is_an_end_of_its_own(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        async def process(inputs, ctx):
            if not (await ctx.breakpoint("First?")).approved:
                raise Failed("not at first")
            if not (await ctx.breakpoint("Then?")).approved:
                raise Failed("not then")
        """,
    )
    assert [way for way in ways(drawn) if "failed" in way] == [
        "First? ~> failed: not at first: no",
        "Then? ~> failed: not then: no",
    ]
