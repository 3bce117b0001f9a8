"""What is seen of a process without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drawings import draw, nodes, ways

from babysitter.graphs.listing import as_json

if TYPE_CHECKING:
    from pathlib import Path


def test_a_sequence_is_nodes_one_below_the_other(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        async def process(inputs, ctx):
            await ctx.task(build)
            await ctx.sleep("10m")
            await ctx.subprocess("quality-checks")
        """,
    )
    assert nodes(drawn) == [
        "start drawn",
        "shell Build it",
        "sleep sleep 10 m",
        "subprocess quality-checks",
        "end end",
    ]
    assert ways(drawn)[0] == "drawn -> Build it"
    assert len(ways(drawn)) == 4


def test_a_loop_is_one_node_and_a_way_back(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        async def process(inputs, ctx):
            for round in range(3):
                await ctx.task(build)
                await ctx.task(draft)
        """,
    )
    assert nodes(drawn) == ["start drawn", "shell Build it", "agent Write a draft", "end end"]
    assert "Write a draft -> Build it (back)" in ways(drawn)


def test_an_endless_loop_is_cut(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        async def process(inputs, ctx):
            while True:
                await ctx.task(build)
        """,
    )
    assert nodes(drawn) == ["start drawn", "shell Build it", "more …"]
    assert ways(drawn) == ["drawn -> Build it", "Build it -> Build it (back)", "Build it -> …"]
    assert drawn.notes == ["the dry run was ended after 1000 steps"]


def test_branches_that_are_alike_are_one(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        async def process(inputs, ctx):
            await ctx.parallel.map(range(20), lambda n: ctx.task(check, name=str(n)), limit=4)
        """,
    )
    group, step = as_json(drawn)["nodes"][1:3]
    assert (group["mode"], group["limit"], group["branches"][0]["times"]) == ("map", "4", 20)
    assert (step["title"], step["group"], step["count"]) == ("check {name}", group["id"], 20)


def test_branches_that_differ_stand_side_by_side(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        async def process(inputs, ctx):
            await ctx.parallel.race({
                "one": lambda: ctx.task(build),
                "two": lambda: ctx.timeout("10m", lambda: ctx.task(draft)),
            })
        """,
    )
    race, timeout = [each for each in as_json(drawn)["nodes"] if each["kind"] == "group"]
    assert race["branches"] == [{"times": 1, "names": ["one"]}, {"times": 1, "names": ["two"]}]
    assert (timeout["mode"], timeout["limit"], timeout["branch"]) == ("timeout", "10 m", 1)


def test_a_breakpoint_has_both_exits(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        async def process(inputs, ctx):
            feedback = None
            for attempt in range(3):
                await ctx.task(draft, feedback=feedback)
                decision = await ctx.breakpoint("Good?")
                if decision.approved:
                    return await ctx.task(build)
                feedback = decision.feedback
            raise Failed("never good")
        """,
    )
    assert ways(drawn) == [
        "drawn -> Write a draft",
        "Write a draft -> Good?",
        "Good? -> Build it: yes",
        "Build it -> end",
        "Good? ~> Write a draft: no (back)",
        "Good? ~> failed: never good: no",
    ]


def test_a_no_that_leads_to_a_step_of_its_own_is_dashed(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        async def process(inputs, ctx):
            if (await ctx.breakpoint("Deploy?")).approved:
                await ctx.task(build)
            else:
                await ctx.task(draft)
        """,
    )
    assert nodes(drawn)[1:4] == ["breakpoint Deploy?", "~agent Write a draft", "shell Build it"]


def test_an_arm_that_is_not_come_to_is_drawn_from_the_source(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        async def process(inputs, ctx):
            await ctx.task(build)
            if inputs.get("slow"):
                await ctx.sleep("1h")
                await ctx.task(check, name="a")
            await ctx.task(draft)
        """,
    )
    assert ways(drawn)[3:] == [
        "Build it ~> sleep 1h: if inputs.get('slow')",
        "sleep 1h ~> check {name}",
        "check {name} ~> Write a draft",
    ]


def test_a_step_within_a_condition_is_an_answer_there(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        async def process(inputs, ctx):
            if (await ctx.task(build)).exit_code == 7:
                await ctx.task(draft)
        """,
    )
    assert "Build it ~> Write a draft: if answer.exit_code == 7" in ways(drawn)


def test_an_arm_that_leaves_leads_to_the_end(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        async def process(inputs, ctx):
            try:
                await ctx.task(build)
            except TaskFailed:
                await ctx.task(check, name="why")
                return
            await ctx.task(draft)
        """,
    )
    assert "Build it ~> check why: except TaskFailed" in ways(drawn)
    assert "check why ~> end" in ways(drawn)


def test_arms_in_arms_follow_what_they_are_in(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        async def process(inputs, ctx):
            await ctx.task(build)
            if inputs.get("a"):
                await ctx.task(check, name="outer")
                if inputs.get("b"):
                    await ctx.breakpoint("Inner?")
                await ctx.sleep("1s")
        """,
    )
    assert "check {name} ~> sleep 1s" in ways(drawn)
    assert "check {name} ~> Inner?: if inputs.get('b')" in ways(drawn)
    assert "Inner? ~> sleep 1s" in ways(drawn)


def test_a_group_and_a_function_that_are_not_come_to_are_read(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        async def mend(ctx, name):
            await ctx.task(check, name=name)
            await ctx.task(draft)

        async def process(inputs, ctx):
            if inputs.get("files"):
                calls = [ctx.task(check, name=file) for file in inputs["files"]]
                await ctx.parallel.settled(calls, limit=3)
                await mend(ctx, "a")
        """,
    )
    assert nodes(drawn)[1:6] == [
        "~group settled",
        "~shell check {name}",
        "~shell check {name}",
        "~agent Write a draft",
        "end end",
    ]


def test_a_function_called_at_two_places_is_drawn_twice(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        async def checked(ctx, name):
            await ctx.task(check, name=name)

        async def process(inputs, ctx):
            await checked(ctx, "one")
            await checked(ctx, "two")
        """,
    )
    assert ways(drawn) == ["drawn -> check one", "check one -> check two", "check two -> end"]


def test_steps_of_a_module_beside_are_seen(tmp_path: Path) -> None:
    (tmp_path / "beside_it.py").write_text(
        "from babysitter import shell\n@shell\ndef lint():\n    'Lint'\n    return ['true']\n"
        "async def linted(ctx, again):\n    await ctx.task(lint)\n"
        "    if again:\n        await ctx.sleep('1s')\n"
    )
    source = """
    import beside_it

    async def process(inputs, ctx):
        await beside_it.linted(ctx, again=False)
    """
    assert nodes(draw(tmp_path, source)) == ["start drawn", "shell Lint", "~sleep sleep 1s", "end end"]


def test_retries_and_tasks_of_asyncio_are_seen(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        import asyncio

        async def process(inputs, ctx):
            await ctx.task(build.using(retry=Retry(3)))
            await asyncio.gather(ctx.task(draft), ctx.task(check, name="a"))
        """,
    )
    told = as_json(drawn)["nodes"]
    assert told[1]["maxAttempts"] == 3
    assert {"Write a draft", "check a"} <= {each["title"] for each in told}


def test_a_result_without_a_schema_is_guessed_from_what_is_missed_in_it(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        @python
        def find():
            "Find it"

        async def process(inputs, ctx):
            found = await ctx.task(find)
            for file in found["files"]:
                await ctx.task(check, name=file["name"].lower())
            await ctx.breakpoint(f"Deploy {found['version'] + 1}?")
        """,
    )
    assert (nodes(drawn)[-1], drawn.notes) == ("end end", [])


def test_where_the_dry_run_ends_early_the_rest_is_read(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        async def process(inputs, ctx):
            await ctx.task(build)
            inputs["nothing"]
            await ctx.task(draft)
        """,
    )
    assert ways(drawn) == [
        "drawn -> Build it",
        "Build it -> the dry run ends here: KeyError: 'nothing'",
        "the dry run ends here: KeyError: 'nothing' ~> Write a draft",
        "Write a draft ~> end",
    ]
    assert drawn.notes == ["the dry run ended with its stub results: KeyError: 'nothing'"]


def test_inputs_that_are_needed_are_stubs_too(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        Inputs = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}

        async def process(inputs, ctx):
            await ctx.task(check, name=inputs["name"])
        """,
    )
    assert nodes(drawn)[1] == "shell check {name}"


def test_a_process_without_steps_is_a_start_and_an_end(tmp_path: Path) -> None:
    drawn = draw(tmp_path, "async def process(inputs, ctx):\n    return 1\n")
    assert (nodes(drawn), ways(drawn)) == (["start drawn", "end end"], ["drawn -> end"])


def test_going_on_as_a_new_run_is_an_end(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        async def process(inputs, ctx):
            await ctx.task(build)
            ctx.continue_as_new({})
        """,
    )
    assert ways(drawn)[-1] == "Build it -> goes on as a new run"


def test_what_is_done_at_last_is_a_group(tmp_path: Path) -> None:
    drawn = draw(
        tmp_path,
        """
        async def process(inputs, ctx):
            ctx.on_cleanup(lambda: ctx.task(check, name="tidy"))
            await ctx.task(build)
        """,
    )
    assert nodes(drawn) == [
        "start drawn",
        "shell Build it",
        "group cleanup",
        "shell check tidy",
        "end end",
    ]
