"""Shipped processes with agents, in sessions of the real host with a scripted model, on small repositories.

What agents say and write is the test's. All else is real: the sessions, their subagents, git, the
commands whose exit codes decide.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.approvals.place import ancestors
from babysitter.hosts.claude import SIGNS
from babysitter.sessions.presence import is_below_host
from tests.host.host_program import needs_host
from tests.host.lab import each_once, events, seen, status
from tests.host.terminal_session import DOWN, ENTER
from tests.host.working import Working
from tests.support.repositories import changed, commit

if TYPE_CHECKING:
    from tests.host.lab import Lab
    from tests.host.terminal_session import Terminal

pytestmark = needs_host
at_terminal = pytest.mark.skipif(
    is_below_host(ancestors(), SIGNS),
    reason="this test was started by an agent's session, where nobody can answer",
)
ARGUMENTS = ("--permission-mode", "default", "--allowedTools", "Bash", "AskUserQuestion")
PYTHON = shlex.join([sys.executable, "-B"])
GOOD = {"score": 100, "defects": []}


def create(process: str, **inputs: Any) -> str:
    """The command that makes the run ``r``."""
    told = [
        f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in inputs.items()
    ]
    given = [word for each in told for word in ("-i", each)]
    return f"babysitter create {shlex.join([process, *given])} --run-id r"


def output(run: str = "r") -> dict[str, Any]:
    """What the run has given, after it was verified that it has come to its end and did nothing twice."""
    assert (status(run)["status"], each_once(run)) == ("completed", True)
    found: dict[str, Any] = events(run, "RUN_COMPLETED")[0]["output"]
    return found


def needs_time(torture: bool) -> None:
    """Six of them take a minute; three show in the usual run that it works."""
    if not torture:
        pytest.skip("takes long")


def test_a_change_is_reviewed_in_a_session(lab: Lab) -> None:
    commit(Path(), {"a.py": "def half(n):\n    return n / 2\n"})
    Path("a.py").write_text("def half(n):\n    return n / 3\n")
    wrong = {"file": "a.py", "line": 2, "severity": "high", "claim": "a third"}
    taste = {"file": "a.py", "line": 1, "severity": "low", "claim": "a bad name"}
    answers = {
        "one thing alone: correctness": {"findings": [taste, wrong]},
        "one thing alone": {"findings": []},
        "a third": {"real": True, "why": "half of 2 is 1"},
        "a bad name": {"real": False, "why": "a matter of taste"},
    }
    lab.session("go", Working(create("code-review"), answers=answers, edits={}))
    told = output()
    assert [each["claim"] for each in told["findings"]] == ["a third"]
    assert [each["claim"] for each in told["rejected"]] == ["a bad name"]
    assert len(events("r", "EFFECT_RESOLVED")) == 1 + 3 + 6


TEST = "from add import add\nassert add(2, 3) == 5\n"
WRONG, RIGHT = "def add(a, b):\n    return a * b\n", "def add(a, b):\n    return a + b\n"


def test_tests_come_first_and_pass_in_the_end_in_a_session(lab: Lab) -> None:
    commit(Path(), {"README": "numbers\n"})
    answers = {
        "Write the tests": {"files": ["check_add.py"]},
        "Implement this": "done",
        "Review what": [{"score": 50, "defects": ["it multiplies"]}, GOOD],
    }
    edits = {
        "Write the tests": [{"check_add.py": TEST}],
        "Implement this": [{"add.py": WRONG}, {"add.py": RIGHT}],
    }
    command = create(
        "tdd-convergence",
        goal="add two numbers",
        test=f"{PYTHON} check_add.py",
        checks={"syntax": f"{PYTHON} -m tokenize add.py"},
    )
    lab.session("go", Working(command, answers=answers, edits=edits))
    told = output()
    assert (told["scores"], told["stopped"]) == ([30, 100], "reached")
    assert changed(Path()) == ["add.py", "check_add.py"]


def marks(terminal: Terminal) -> set[str]:
    """What tells the dialogs apart that are to be seen: each answer has the mark of its question."""
    return set(re.findall(r"(?:Approve|Reject)\((\w{8})\)", terminal.screen))


@at_terminal
def test_a_plan_is_rejected_approved_and_carried_out_in_a_session(lab: Lab) -> None:
    commit(Path(), {"old.txt": "text\n"})
    answers = {
        "Plan how": [{"plan": "# Long"}, {"plan": "# Short"}],
        "Do what the plan says": "done",
        "Review what": GOOD,
    }
    edits = {"Do what the plan says": [{"new.txt": "text\n"}]}
    command = create("plan-review-implement", goal="rename it", checks={"there": "test -s new.txt"})
    model = Working(command, answers=answers, edits=edits)
    with lab.terminal(model, arguments=ARGUMENTS) as terminal:
        terminal.see("? for shortcuts")
        terminal.say("go")
        seen(lambda: marks(terminal))
        terminal.read()
        first = marks(terminal)
        terminal.press(DOWN, DOWN, ENTER)
        # The first dialog is drawn once more when it is answered.
        seen(lambda: marks(terminal) - first)
        terminal.read()
        assert changed(Path()) == []
        terminal.press(DOWN, ENTER)
        seen(lambda: events("r", "RUN_COMPLETED"))
    told = output()
    assert (told["plan"], told["attempts"], changed(Path())) == ("# Short", 2, ["new.txt"])


@pytest.mark.torture
def test_a_bug_is_hunted_in_a_session(lab: Lab, torture: bool) -> None:
    needs_time(torture)
    commit(Path(), {"last.py": "def last(items):\n    return items[len(items)]\n"})
    found = [
        {"claim": "it has no items", "command": f"{PYTHON} -c 'assert not [1]'"},
        {"claim": "it counts from one", "command": "grep -q 'items.len(items).' last.py"},
        {"claim": "it takes the wrong end", "command": "grep -q return last.py"},
    ]
    answers = {
        "hypotheses about the cause": {"hypotheses": found},
        "None of these was refuted": [{"choice": 1}, {"choice": 2}, {"choice": 1}],
        "Fix this bug": "it counted from one",
    }
    edits = {"Fix this bug": [{"last.py": "def last(items):\n    return items[-1]\n"}]}
    reproduce = f"{PYTHON} -c 'import last; last.last([1])'"
    command = create("bug-hunt", bug="no last item", reproduce=reproduce, ask=False)
    lab.session("go", Working(command, answers=answers, edits=edits))
    told = output()
    assert [each["verdict"] for each in told["hypotheses"]] == ["refuted", "stands", "stands"]
    assert (told["cause"], changed(Path())) == ("it counts from one", ["last.py"])


@pytest.mark.torture
def test_files_are_migrated_in_a_session(lab: Lab, torture: bool) -> None:
    needs_time(torture)
    commit(Path(), {f"src/{name}.py": f"print '{name}'\n" for name in ("one", "two", "three")})
    edits = {
        "src/one.py": [{"src/one.py": "print('one')\n"}],
        "src/two.py": [{"src/two.py": "print(\n"}, {"src/two.py": "print('two')\n"}],
        "src/three.py": [{"src/three.py": "print(\n"}],
    }
    command = create(
        "migrate-files",
        instruction="print is a function",
        pattern="src/*.py",
        check=f"{PYTHON} -m tokenize {{file}}",
    )
    lab.session("go", Working(command, answers={"Change one file": "done"}, edits=edits))
    told = output()
    assert (told["migrated"], [each["file"] for each in told["failed"]]) == (
        ["src/one.py", "src/two.py"],
        ["src/three.py"],
    )
    assert changed(Path()) == ["src/one.py", "src/two.py"]


@pytest.mark.torture
def test_items_are_triaged_in_a_session_over_two_runs(lab: Lab, torture: bool) -> None:
    needs_time(torture)
    first = [{"id": 7, "title": "it crashes"}, {"id": 8, "title": "thank you"}]
    commit(Path(), {"items.json": json.dumps(first)})
    more = json.dumps([*first, {"id": 9, "title": "crashes again"}])
    answers = {"thank you": {"label": "noise", "why": "no"}, "crashes": {"label": "bug", "why": "so"}}
    edits = {"thank you": [{"items.json": more}]}
    command = create("triage-forever", command="cat items.json", every="10ms", rounds=2, each=1)
    lab.session("go", Working(command, answers=answers, edits=edits))
    assert output("r-c2") == {"rounds": 2, "seen": [7, 8, 9], "counts": {"bug": 1}}
    noted = [json.loads(line) for line in Path("triage.jsonl").read_text().splitlines()]
    assert sorted((line["id"], line["label"]) for line in noted) == [(7, "bug"), (8, "noise"), (9, "bug")]
