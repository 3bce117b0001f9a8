"""Where a finding stands, and how one is silenced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from babysitter.errors import UsageError
from babysitter.lint.linter import look_through
from babysitter.lint.rules import RULES, chosen

if TYPE_CHECKING:
    from pathlib import Path

    from babysitter.lint.findings import Finding

BEFORE = "import time\nasync def process(inputs, ctx):\n"


def found(tmp_path: Path, body: str, codes: frozenset[str] | None = None) -> list[Finding]:
    file = tmp_path / "process.py"
    file.write_text(f"{BEFORE}{body}\n", "utf-8")
    return look_through(str(file), codes=codes or chosen((), ())).findings


def codes(findings: list[Finding]) -> list[tuple[str, int]]:
    return [(each.code, each.span.line) for each in findings]


def test_a_place_counts_characters_from_one(tmp_path: Path) -> None:
    [finding] = found(tmp_path, '    return "日本 é", time.time()')
    assert finding.span == (3, 20, 3, 31)


def test_a_place_ends_where_the_source_ends(tmp_path: Path) -> None:
    [finding] = found(tmp_path, "    return time.time(\n    )")
    assert finding.span == (3, 12, 4, 6)


@pytest.mark.parametrize(
    ("clause", "end", "told"),
    [
        ("except:", 11, "a bare `except`"),
        ("except BaseException:", 25, "`except BaseException`"),
        ("except (OSError, BaseException) as e:", 36, "`except (OSError, BaseException)`"),
        ("except* BaseException:", 26, "`except* BaseException`"),
        ("except ALL:", 15, "`except ALL`"),
    ],
)
def test_a_handler_that_catches_too_much_is_marked_up_to_what_it_catches(
    clause: str, end: int, told: str, tmp_path: Path
) -> None:
    body = f"    try:\n        await ctx.sleep(1)\n    {clause}\n        pass\nALL = BaseException"
    [finding] = found(tmp_path, body)
    why = "catches the end of a branch that is given up"
    cure = "catch Exception or TaskFailed, or `raise` at its end"
    assert finding.span == (5, 5, 5, end)
    assert (finding.reason, finding.rule.cure) == (f"{told} {why}", cure)


@pytest.mark.parametrize(
    "caught", ["Exception", "(OSError, ValueError)", "KeyboardInterrupt", "SystemExit", "()"]
)
def test_a_handler_of_failures_around_a_step_is_left_alone(caught: str, tmp_path: Path) -> None:
    body = f"    try:\n        await ctx.sleep(1)\n    except {caught}:\n        pass"
    assert codes(found(tmp_path, body)) == []


def test_a_way_out_of_finally_is_marked_itself(tmp_path: Path) -> None:
    body = "    try:\n        await ctx.sleep(1)\n    finally:\n        if inputs:\n            return 1"
    [finding] = found(tmp_path, body)
    assert (finding.code, finding.span, finding.what) == ("BS302", (7, 13, 7, 21), "`return` in `finally`")


def test_a_clock_that_a_function_calls_by_default_is_told_where_the_call_leaves_it_out(
    tmp_path: Path,
) -> None:
    body = "    return label(1)\ndef label(n, clock=time.time):\n    return clock()"
    [finding] = found(tmp_path, body)
    told = "time.time, which label() calls by default, gives another time on each replay"
    assert (finding.span, finding.reason) == ((3, 12, 3, 20), told)


def test_findings_are_in_the_order_of_the_lines(tmp_path: Path) -> None:
    body = "    print(1)\n    later()\ndef later():\n    time.sleep(1)\nprint(2)"
    assert codes(found(tmp_path, body)) == [("BS601", 3), ("BS201", 6), ("BS601", 7)]


def test_what_is_used_twice_is_found_once(tmp_path: Path) -> None:
    body = "    return [later(), later()]\ndef later():\n    return time.time()"
    assert codes(found(tmp_path, body)) == [("BS101", 5)]


@pytest.mark.parametrize(
    "comment",
    [
        "# babysitter: ignore[BS101]",
        "#babysitter:ignore[ BS101 ]",
        "# noqa  # babysitter: ignore[BS101] - why",
    ],
)
def test_a_comment_silences_its_code_on_its_line(comment: str, tmp_path: Path) -> None:
    assert codes(found(tmp_path, f"    time.time()  {comment}")) == []


def test_a_comment_silences_no_other_code_and_no_other_line(tmp_path: Path) -> None:
    body = "    print(time.time())  # babysitter: ignore[BS101]\n    return time.time()"
    assert codes(found(tmp_path, body)) == [("BS601", 3), ("BS101", 4)]


@pytest.mark.parametrize(
    ("comment", "code"),
    [("ignore[BS999]", "BS001"), ("ignore", "BS001"), ("ignore[]", "BS001"), ("ignore[BS102]", "BS002")],
)
def test_a_comment_that_silences_nothing_is_told(comment: str, code: str, tmp_path: Path) -> None:
    assert codes(found(tmp_path, f"    return 1  # babysitter: {comment}")) == [(code, 3)]


def test_a_comment_about_what_was_not_looked_for_is_not_unused(tmp_path: Path) -> None:
    body = "    return 1  # babysitter: ignore[BS102]"
    assert codes(found(tmp_path, body, chosen((), ("BS102",)))) == []


def test_text_that_looks_like_a_comment_silences_nothing(tmp_path: Path) -> None:
    body = '    return time.time(), "# babysitter: ignore[BS101]"'
    assert codes(found(tmp_path, body)) == [("BS101", 3)]


def test_codes_are_selected_and_ignored(tmp_path: Path) -> None:
    body = "    print(time.time(), id(1))"
    assert codes(found(tmp_path, body, chosen(("BS601", "BS109"), ("BS109",)))) == [("BS601", 3)]


def test_an_unknown_code_cannot_be_selected() -> None:
    with pytest.raises(UsageError, match="there is no rule 'BS999'"):
        chosen(("BS999",), ())


def test_another_function_of_the_file_is_looked_through_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "process.py"
    file.write_text("import time\nasync def other(inputs, c):\n    c.sleep(1)\n    return time.time()\n")
    assert codes(look_through(str(file)).findings) == []
    assert codes(look_through(str(file), "other").findings) == [("BS203", 3), ("BS101", 4)]


@pytest.mark.parametrize(
    "body",
    [
        "    return a(1)\ndef a(n):\n    return b(n)\ndef b(n):\n    return a(n)",
        "    return x\nx = y\ny = x",
        "    a = b\n    b = a\n    a.append(1)\n    a[1] = 2",
        "    for a in a:\n        a.append(1)\n    return [b for b in b], c[c](c)\nc = {1: c}",
        "    return f() | {1}\ndef f():\n    return f() | f()",
        "    return A().n\nclass A(B):\n    pass\nclass B(A):\n    pass",
        "    return " + "+".join(["'a'"] * 3000),
        "    return " + "[" * 60 + "]" * 60,
        "    from process import process",
        "    from . import nothing\n    from .. import more",
        "    x: int\n    del x\n    global y\n    [x := 1, (lambda *a, **k: (yield))]",
        "    match inputs:\n        case {'a': [1, *rest], **more}:\n            return rest",
    ],
    ids=[
        "calls",
        "names",
        "locals",
        "elements",
        "sets",
        "classes",
        "long",
        "deep",
        "itself",
        "relative",
        "odd",
        "match",
    ],
)
def test_whatever_python_admits_is_looked_through(body: str, tmp_path: Path) -> None:
    assert [each.code for each in found(tmp_path, body) if each.code != "BS401"] == []


def test_rules_are_in_the_order_of_their_codes_and_each_has_a_name_of_its_own() -> None:
    ordered = [rule.code for rule in RULES]
    assert ordered == sorted(set(ordered))
    assert len({rule.name for rule in RULES}) == len(RULES)


BEFORE_CALL = """from functools import partial
from babysitter import define_task, python
import time
@python
def count(path: str, words: int = 1) -> int:
    return 1
any_of = define_task("any", lambda args: {"kind": "any"})
async def process(inputs, c):
"""


@pytest.mark.parametrize(
    ("line", "called", "cure"),
    [
        ("return {'n': count(path)}", "count(path)", "await c.task(count, path=path)"),
        (
            "return count(inputs['a'], 2)",
            "count(inputs['a'], 2)",
            "await c.task(count, path=inputs['a'], words=2)",
        ),
        ("return count(*inputs)", "count(*inputs)", "await c.task(count, *inputs)"),
        ("return count(**inputs)", "count(**inputs)", "await c.task(count, **inputs)"),
        ("return any_of(inputs)", "any_of(inputs)", "await c.task(any_of, inputs)"),
        ("return lambda: count('a')", "count('a')", "c.task(count, path='a')"),
        ("return await c.parallel.all([count('a')])", "count('a')", "c.task(count, path='a')"),
        ("return await c.task(count('a'))", "count('a')", "c.task(count, path='a')"),
        ("return await count('a')", "count('a')", "await c.task(count, path='a')"),
        (
            "return sum(count(p) for p in inputs)",
            "count(p)",
            "await c.parallel.map(inputs, lambda p: c.task(count, path=p))",
        ),
        (
            "return [n for n in inputs if count(n)]",
            "count(n)",
            "await c.task(count, path=n)",
        ),
    ],
)
def test_a_task_that_is_called_is_told_with_the_step_that_was_meant(
    line: str, called: str, cure: str, tmp_path: Path
) -> None:
    file = tmp_path / "process.py"
    file.write_text(f"{BEFORE_CALL}    {line}\n")
    [finding] = look_through(str(file)).findings
    start = 5 + line.index(called)
    assert finding.span == (9, start, 9, start + len(called))
    assert (finding.code, finding.reason, finding.cure) == (
        "BS209",
        f"{called} is a task called like a function, so it is done inside the process",
        f"write `{cure}`",
    )


@pytest.mark.parametrize(
    ("line", "by", "cure"),
    [
        (
            "return list(map(count, inputs))",
            "map",
            "write `await c.parallel.map(inputs, lambda path: c.task(count, path=path))`",
        ),
        (
            "return await c.parallel.map(inputs, count)",
            "c.parallel.map",
            "write `lambda path: c.task(count, path=path)`",
        ),
        ("return await c.parallel.all([count])", "c.parallel.all", "write `lambda: c.task(count, …)`"),
        ("return partial(count, path='a')()", "partial", "write `partial(c.task, count, path='a')`"),
        ("return sorted(inputs, key=count)", "sorted", "write `await ctx.task(…)`"),
    ],
)
def test_a_task_that_is_handed_to_what_calls_it_is_told_where_it_stands(
    line: str, by: str, cure: str, tmp_path: Path
) -> None:
    file = tmp_path / "process.py"
    file.write_text(f"{BEFORE_CALL}    {line}\n")
    [finding] = look_through(str(file)).findings
    start = 5 + line.index("count")
    assert (finding.span, finding.code) == ((9, start, 9, start + 5), "BS209")
    assert (finding.what, finding.cure) == (f"count, which {by}() calls,", cure)


def test_what_a_called_task_gives_is_not_taken_for_the_task(tmp_path: Path) -> None:
    file = tmp_path / "process.py"
    file.write_text(f"{BEFORE_CALL}    n = count('a')\n    await c.task(count, path=n)\n")
    assert codes(look_through(str(file)).findings) == [("BS209", 9)]


@pytest.mark.parametrize(
    ("call", "cure"),
    [
        ("all(a, b)", "write a list: ctx.parallel.all([a, b])"),
        ("settled(a, b, limit=2)", "write a list: ctx.parallel.settled([a, b], limit=2)"),
        ("any(*a)", "write a list: ctx.parallel.any(a)"),
        ("race(a, *b)", "write a list: ctx.parallel.race([a, *b])"),
        ("all(lambda: ctx.sleep(1))", "write a list: ctx.parallel.all([lambda: ctx.sleep(1)])"),
        ("all(a, 5)", "give the limit by its name: ctx.parallel.all(a, limit=5)"),
        (f"all(a, '{'b' * 100}')", "write a list: ctx.parallel.all([…])"),
    ],
)
def test_branches_that_are_no_list_are_told_with_the_list(call: str, cure: str, tmp_path: Path) -> None:
    line = f"    return await ctx.parallel.{call}"
    [finding] = found(tmp_path, f"    a, b = inputs\n{line}")
    assert (finding.code, finding.span) == ("BS210", (4, 18, 4, len(line) + 1))
    assert finding.cure == cure
