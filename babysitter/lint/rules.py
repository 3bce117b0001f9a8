"""The rules: what is looked for, how bad it is, why, and what to write instead."""

from __future__ import annotations

from typing import NamedTuple

from babysitter.errors import UsageError

ERROR, WARNING = "error", "warning"


class Rule(NamedTuple):
    """One rule.

    Attributes:
        about: what it finds.
        reason: goes on behind the thing that was found: "time.time() …".
    """

    code: str
    name: str
    severity: str
    about: str
    reason: str
    cure: str

    def as_json(self) -> dict[str, str]:
        return self._asdict()


RULES = (
    Rule(
        "BS001",
        "unknown-code",
        WARNING,
        "a comment that silences a code that does not exist",
        "is no code of a rule",
        "`babysitter process check --rules` lists them",
    ),
    Rule(
        "BS002",
        "unused-silence",
        WARNING,
        "a comment that silences nothing",
        "silences nothing on this line",
        "take the comment away",
    ),
    Rule(
        "BS101",
        "clock",
        ERROR,
        "`time.time`, `datetime.now`, `date.today`, `perf_counter` and the like",
        "gives another time on each replay",
        "use ctx.now()",
    ),
    Rule(
        "BS102",
        "chance",
        ERROR,
        "`random`, `secrets`, `uuid.uuid4`, `os.urandom`, `numpy.random`",
        "gives another value on each replay",
        "use ctx.random or ctx.uuid()",
    ),
    Rule(
        "BS103",
        "environment",
        ERROR,
        "`os.environ`, `sys.argv`, `platform`, the host's or user's name",
        "depends on where and by whom the process is replayed",
        "take it as an input, or ctx.record it",
    ),
    Rule(
        "BS104",
        "files",
        ERROR,
        "`open`, `Path.read_text`, `os.listdir`, `shutil`, `sqlite3` and the like",
        "reaches for files, which differ at the next replay",
        "do it in a @python task, or ctx.record it",
    ),
    Rule(
        "BS105",
        "network",
        ERROR,
        "`requests`, `httpx`, `urllib.request`, `socket` and the like",
        "asks the network again on each replay",
        "do it in a @python task",
    ),
    Rule(
        "BS106",
        "program",
        ERROR,
        "`subprocess`, `os.system` and the like",
        "starts a program again on each replay",
        "make it a @shell task",
    ),
    Rule(
        "BS107",
        "terminal",
        ERROR,
        "`input`, `getpass`, `sys.stdin`",
        "reads a terminal that a replay does not have",
        "ask with ctx.breakpoint, or take it as an input",
    ),
    Rule(
        "BS108",
        "set-order",
        ERROR,
        "a set that is gone through in its own order",
        "has another order in each Python",
        "go through sorted(…)",
    ),
    Rule(
        "BS109",
        "identity",
        ERROR,
        "`id()`, `hash()`",
        "is another number in each Python",
        "use the value itself, or a digest of it",
    ),
    Rule(
        "BS110",
        "dynamic-code",
        WARNING,
        "`eval`, `exec`",
        "executes code that nobody can look through, and that is not hashed",
        "write the code down",
    ),
    Rule(
        "BS111",
        "file-at-import",
        WARNING,
        "a file that is read while the module is loaded",
        "is read when the process is loaded, and a change of it is not noticed as an edit",
        "read it in a task, or write it into a Python module beside the process",
    ),
    Rule(
        "BS201",
        "blocking-sleep",
        ERROR,
        "`time.sleep`",
        "holds up every branch, again on each replay",
        "use `await ctx.sleep(…)`",
    ),
    Rule(
        "BS202",
        "thread",
        ERROR,
        "threads, pools of processes, `asyncio.to_thread`, `run_in_executor`",
        "does things in an order that no replay can repeat",
        "do it in @python tasks and ctx.parallel",
    ),
    Rule(
        "BS203",
        "forgotten-step",
        ERROR,
        "a step of ctx that is neither awaited nor handed on",
        "is a step that nobody awaits, so it is never asked for",
        "write `await` before it",
    ),
    Rule(
        "BS204",
        "forgotten-coroutine",
        ERROR,
        "a call of an own async function, or of asyncio, that nobody awaits",
        "is never awaited, so nothing comes of it",
        "write `await` before it",
    ),
    Rule(
        "BS205",
        "forgotten-task",
        WARNING,
        "`asyncio.create_task` whose task nobody looks at",
        "is given up when the process returns, done or not",
        "keep the task and await it",
    ),
    Rule(
        "BS206",
        "one-after-another",
        ERROR,
        "`await` inside the list for ctx.parallel or asyncio.gather",
        "is awaited before the group begins, one after another",
        "write `lambda: …` in place of `await …`",
    ),
    Rule(
        "BS207",
        "late-binding",
        ERROR,
        "a function kept past its turn of a loop that uses the loop's variable",
        "will see the last value of the loop",
        "bind it: `lambda name=name: …`, or use ctx.parallel.map",
    ),
    Rule(
        "BS208",
        "event-loop",
        ERROR,
        "`asyncio.run`, `new_event_loop` and the like",
        "makes an event loop of its own, which a replay cannot drive",
        "`await` the coroutine",
    ),
    Rule(
        "BS209",
        "called-task",
        ERROR,
        "a task that is called like a function",
        "is a task called like a function, so it is done inside the process",
        "write `await ctx.task(…)`",
    ),
    Rule(
        "BS210",
        "loose-branches",
        ERROR,
        "branches that are handed to ctx.parallel one by one",
        "gives its branches one by one, and one list of them is taken",
        "write a list",
    ),
    Rule(
        "BS301",
        "swallowed-cancellation",
        ERROR,
        "`except BaseException`, a bare `except`, around a step",
        "catches the end of a branch that is given up",
        "catch Exception or TaskFailed, or `raise` at its end",
    ),
    Rule(
        "BS302",
        "leaving-finally",
        ERROR,
        "`return`, `break`, `continue` in a `finally` around a step",
        "swallows the end of a branch that is given up",
        "put it behind the `try`",
    ),
    Rule(
        "BS401",
        "global-state",
        ERROR,
        "`global`, and changes of what belongs to a module or class",
        "outlives a replay, so the next one begins with another value",
        "keep it in a variable of the process",
    ),
    Rule(
        "BS402",
        "mutable-default",
        WARNING,
        "a list, dict or set as the default of a parameter",
        "is made once and shared by all calls",
        "use None, and make it in the function",
    ),
    Rule(
        "BS501",
        "not-json",
        ERROR,
        "an argument of a step that JSON does not have",
        "is no JSON value, so the step cannot be asked for",
        "hand over texts, numbers, lists and dicts",
    ),
    Rule(
        "BS502",
        "tuple-argument",
        WARNING,
        "a tuple as an argument of a step",
        "arrives as a list",
        "write a list",
    ),
    Rule(
        "BS601",
        "print",
        WARNING,
        "`print`, `sys.stdout.write`, `logging`",
        "prints again on each replay",
        "use ctx.log(…)",
    ),
    Rule(
        "BS701",
        "undescribed",
        WARNING,
        "a `process.py` without a SKILL.md that has `name` and `description`",
        "cannot be found by what it is for",
        "write `name`, `description` and `when_to_use` between two lines `---` at the top of SKILL.md",
    ),
    Rule(
        "BS702",
        "misnamed",
        WARNING,
        "a `name` in SKILL.md that is not the folder's",
        "hosts and babysitter would call the process by different names",
        "give the folder's name",
    ),
    Rule(
        "BS703",
        "unknown-key",
        WARNING,
        "a key in SKILL.md that nobody reads",
        "is read by nobody",
        "write it right, or put it under `metadata`",
    ),
    Rule(
        "BS704",
        "other-effects",
        WARNING,
        "`effects` in SKILL.md that lack a kind that the process asks for",
        "tells less than the process does",
        "add it",
    ),
    Rule(
        "BS705",
        "unread-inputs",
        WARNING,
        "`inputs` in SKILL.md that are no JSON Schema, or stand beside `Inputs`",
        "are read by nobody",
        "take them away, or write the schema there and no `Inputs`",
    ),
    Rule(
        "BS801",
        "originals-way",
        ERROR,
        "`ctx.sleepUntil`, a dict in `ctx.breakpoint`, options in the call of `ctx.task`",
        "is how the JavaScript original has it, and is refused at run time",
        "write it as docs/original.md has it",
    ),
)
BY_CODE = {rule.code: rule for rule in RULES}


def chosen(select: tuple[str, ...], ignore: tuple[str, ...]) -> frozenset[str]:
    """The codes to look for: those that are selected, or all, without those to be ignored.

    Raises:
        UsageError: there is no such code.
    """
    unknown = [code for code in (*select, *ignore) if code not in BY_CODE]
    if unknown:
        raise UsageError(
            f"there is no rule {unknown[0]!r}", hint="`babysitter process check --rules` lists them"
        )
    return frozenset(select or BY_CODE) - frozenset(ignore)
