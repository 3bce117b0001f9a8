"""``approve`` and ``reject``: what a script, a person at a terminal and an agent can do with them."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.runs.answering import decide
from babysitter.runs.children import family
from babysitter.runs.folder import open_run
from babysitter.runs.results import accept
from babysitter.sessions.binding import bind, set_aside
from babysitter.sessions.grants import grant
from babysitter.sessions.progress import below_of, check_below, check_tail, heads_of, keep_head, progress_of
from tests.support.commands import BABYSITTER, call, told, write
from tests.support.driving import Terminal, wait_until

if TYPE_CHECKING:
    from babysitter.runs.run import Run

pytestmark = pytest.mark.usefixtures("project")

GATE = """
async def process(inputs, ctx):
    told = await ctx.breakpoint("Which one?\\nReally?", title="Release", options=["staging", "live"])
    return [told.approved, told.option]
"""
SIGNED = GATE.replace("title=", 'assurance="signed", title=')
FAMILY = """
async def child(inputs, ctx):
    await ctx.breakpoint("Go?")

async def process(inputs, ctx):
    await ctx.subprocess(child)
"""
needs_ssh_keygen = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen")


def opened(name: str = "r") -> Run:
    return open_run(name, os.path.abspath(".a5c/runs")).load()


def begin(source: str = GATE, name: str = "r") -> Run:
    told("create", write("p.py", source), "--run-id", name)
    return opened(name)


def begin_guarded(source: str = GATE) -> Run:
    """A run as an agent's session has it, at its breakpoint."""
    run = begin(source)
    run.append([("SESSION_BOUND", {"host": "claude-code", "sessionId": "s-1"})])
    return run


def evidence() -> dict[str, Any]:
    """Of the one breakpoint that was answered."""
    (resolved,) = [
        event["data"] for event in told("events", "r")["events"] if event["type"] == "EFFECT_RESOLVED"
    ]
    found: dict[str, Any] = resolved["evidence"]
    return found


def permits() -> list[dict[str, Any]]:
    return opened().state.permits


# Scripts


def test_a_script_answers_a_run_of_nobodys_session() -> None:
    begin()
    told("approve", "r", "--option", "live")
    assert evidence()["assurance"] == "script"


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_a_script_answers_nothing_that_an_agent_works_on(verb: str) -> None:
    begin_guarded()
    error = told(verb, "r", code=3)["error"]
    assert (error["name"], "/babysitter:approve" in error["hint"]) == ("PersonNeeded", True)


def test_yes_does_not_make_a_person_of_a_script() -> None:
    begin_guarded()
    assert told("approve", "r", "--yes", code=3)["error"]["name"] == "PersonNeeded"


def test_a_script_permits_nothing() -> None:
    begin_guarded()
    error = told("approve", "r", "--permit", "release", "--yes", code=3)["error"]
    assert (error["name"], permits()) == ("PersonNeeded", [])


# Agents


@pytest.mark.parametrize(
    "words", [["approve", "r"], ["reject", "r"], ["approve", "r", "--permit", "release"]]
)
@pytest.mark.parametrize("name", ["CLAUDECODE", "CURSOR_AGENT"])
def test_inside_a_session_nobody_approves(
    monkeypatch: pytest.MonkeyPatch, name: str, words: list[str]
) -> None:
    begin()
    monkeypatch.setenv(name, "1")
    error = told(*words, code=3)["error"]
    assert (error["name"], len(opened().state.pending)) == ("PersonNeeded", 1)


def test_a_terminal_that_an_agent_makes_is_of_no_use_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    begin_guarded()
    monkeypatch.setenv("CLAUDECODE", "1")
    with Terminal("approve", "r", "--yes") as terminal:
        terminal.sees("inside an agent's session nobody answers a breakpoint")
        assert terminal.end() == 3


def test_taking_the_variables_away_does_not_hide_the_session(home: Path) -> None:
    begin_guarded()
    (home / "sessions" / "s-1").mkdir(parents=True)
    (home / "sessions" / "s-1" / "host").write_text(f"{os.getpid()}\n/project\n/plugin\n")
    error = told("approve", "r", code=3)["error"]
    assert error["message"] == "inside an agent's session nobody answers a breakpoint"


@pytest.mark.parametrize("words", [["approve", "r"], ["approve", "r", "--permit", "release"]])
def test_another_home_does_not_hide_the_session_either(words: list[str], tmp_path: Path) -> None:
    if not Path("/proc/self/environ").exists():
        pytest.skip("this system has no /proc that tells the environment of a process")
    begin_guarded()
    hidden = ["env", "-u", "CLAUDECODE", f"BABYSITTER_HOME={tmp_path}", str(BABYSITTER), *words]
    # A shell that becomes the command would be no process above it.
    ended = subprocess.run(
        ["sh", "-c", f"{shlex.join(hidden)}; exit $?"],
        env={**os.environ, "CLAUDECODE": "1"},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert (ended.returncode, "inside an agent's session" in ended.stderr) == (3, True)


@needs_ssh_keygen
def test_inside_a_session_nobody_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    begin(SIGNED)
    new_key()
    monkeypatch.setenv("CLAUDECODE", "1")
    assert told("approve", "r", "--sign", "--key", "key", code=3)["error"]["name"] == "PersonNeeded"


def test_inside_a_session_a_run_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    write("p.py", GATE)
    monkeypatch.setenv("CLAUDECODE", "1")
    with Terminal("run", "p.py", "--run-id", "r") as terminal:
        terminal.sees("babysitter approve r")
        assert (terminal.end(), "[1-2, its text or n" in terminal.screen) == (8, False)


def test_a_script_is_told_what_it_has_answered() -> None:
    (effect,) = begin().state.pending
    assert call("approve", "r", "--option", "live").stdout == (
        f"yes to: Which one?\n  Really?\n{effect}: recorded\n"
    )


def test_an_answer_that_is_refused_is_to_nothing() -> None:
    begin()
    assert call("reject", "r", "--option", "moon").stdout == ""


# People


def test_a_person_is_shown_what_they_answer() -> None:
    run = begin_guarded()
    (effect,) = run.state.pending.values()
    with Terminal("approve", "r", "--option", "live", "--feedback", "only eu") as terminal:
        terminal.sees(f"run r, breakpoint {effect.id}: Release")
        terminal.sees("\r\n  Which one?\r\n  Really?\r\n  - staging\r\n  - live\r\n")
        terminal.sees("has the digest ")
        shown = terminal.screen[:64]
        terminal.sees("feedback: only eu\r\noption: live\r\nanswer it with yes? [y/N]: ")
        terminal.types("y\r")
        assert terminal.end() == 0
    assert (evidence()["assurance"], evidence()["shown"]) == ("terminal", shown)


@pytest.mark.parametrize("typed", ["\r", "n\r"])
def test_what_a_person_does_not_confirm_is_not_recorded(typed: str) -> None:
    begin_guarded()
    with Terminal("approve", "r") as terminal:
        terminal.sees("[y/N]: ")
        terminal.types(typed)
        terminal.sees("nothing was recorded")
        assert (terminal.end(), len(opened().state.pending)) == (3, 1)


def test_a_person_can_say_beforehand_that_nothing_is_to_be_asked() -> None:
    begin_guarded()
    with Terminal("reject", "r", "--yes") as terminal:
        assert terminal.end() == 0
    assert told("iterate", "r")["output"] == [False, None]


def test_of_a_run_of_nobodys_session_a_person_is_asked_nothing() -> None:
    begin()
    with Terminal("approve", "r", "--option", "live") as terminal:
        terminal.sees("yes to: Which one?\r\n  Really?\r\n")
        terminal.sees(": recorded")
        assert (terminal.end(), "[y/N]" in terminal.screen) == (0, False)
    assert evidence()["assurance"] == "terminal"


def test_an_answer_to_a_question_of_run_is_one_at_a_terminal() -> None:
    write("p.py", GATE)
    with Terminal("run", "p.py", "--run-id", "r") as terminal:
        terminal.sees("[1-2, its text or n")
        terminal.types("2\r")
        assert terminal.end() == 0
    assert (evidence()["assurance"], evidence()["terminal"][:5]) == ("terminal", "/dev/")


def test_run_does_not_ask_what_has_to_be_signed() -> None:
    write("p.py", SIGNED)
    with Terminal("run", "p.py", "--run-id", "r") as terminal:
        terminal.sees("babysitter approve r")
        assert terminal.end() == 8


# Permits


def test_a_person_permits_what_goes_round_the_process() -> None:
    begin_guarded()
    with Terminal("approve", "r", "--permit", "release") as terminal:
        terminal.sees("run r: let the session leave the run unfinished\r\npermit it? [y/N]: ")
        terminal.types("y\r")
        terminal.sees("release: permitted")
        assert terminal.end() == 0
    (permit,) = permits()
    assert (permit["what"], permit["assurance"]) == ("release", "terminal")


def test_a_person_sees_which_files_were_edited_and_permits_exactly_these() -> None:
    begin_guarded()
    write("p.py", "import fresh\n" + GATE)
    Path("fresh.py").write_text("")
    error = told("iterate", "r", code=7)
    assert "babysitter approve r --permit edit" in error["hint"]
    with Terminal("approve", "r", "--permit", "edit") as terminal:
        terminal.sees("changed  p.py  ")
        terminal.sees("new      fresh.py  ")
        terminal.sees("[y/N]: ")
        terminal.types("y\r")
        assert terminal.end() == 0
    assert told("iterate", "r")["status"] == "waiting"


def test_only_what_is_known_can_be_permitted() -> None:
    begin_guarded()
    error = told("approve", "r", "--permit", "all", code=2)["error"]
    assert (error["message"], error["hint"][:6]) == (
        "--permit 'all' is nothing that can be permitted",
        "one of",
    )


@pytest.mark.parametrize("words", [["x"], ["--sign"], ["--option", "live"]])
def test_a_permit_is_not_mixed_with_an_answer(words: list[str]) -> None:
    begin()
    assert told("approve", "r", *words, "--permit", "release", code=2)["error"]["name"] == "UsageError"


def test_going_back_in_a_run_that_an_agent_works_on_needs_a_person() -> None:
    run = begin_guarded()
    error = told("repair", "r", "--before", "3", code=3)["error"]
    assert (error["name"], opened().journal.head) == ("PersonNeeded", run.journal.head)


def test_that_it_would_be_gone_back_can_be_seen_by_everybody() -> None:
    begin_guarded()
    assert told("repair", "r", "--before", "3", "--dry-run")["events"] == 2


def test_damage_does_not_make_a_way_round_the_process() -> None:
    begin_guarded()
    last = max(Path(".a5c/runs/r/journal").iterdir())
    last.write_bytes(last.read_bytes().replace(b"s-1", b"s-2"))
    shutil.rmtree(".a5c/runs/r/state")
    assert told("repair", "r", code=3)["error"]["name"] == "PersonNeeded"


def go_back(before: str, code: int = 0) -> Any:
    return told("repair", "r", "--before", before, code=code)


def permit_to_go_back(before: int, name: str = "r") -> None:
    about = {"before": before}
    told_ = {"what": "repair", "about": about, "by": "me", "assurance": "command", "evidence": {}}
    opened(name).append([("PERMITTED", told_)])


def test_a_permitted_repair_is_done_once() -> None:
    begin_guarded()
    permit_to_go_back(4)
    assert go_back("4")["person"]["assurance"] == "command"
    assert (opened().is_guarded, permits(), opened().journal.head.seq) == (True, [], 3)
    assert go_back("3", 3)["error"]["name"] == "PersonNeeded"


def test_a_permit_to_go_back_counts_for_that_event_alone() -> None:
    begin_guarded()
    permit_to_go_back(4)
    error = go_back("3", 3)["error"]
    assert error["hint"].startswith(
        "type /babysitter:approve repair 3 in the session; or in a terminal of your"
    )


def test_a_permit_for_what_is_still_to_come_does_not_count() -> None:
    begin_guarded()
    permit_to_go_back(5)
    opened().append([("PERMITTED", {"what": "release", "by": "me", "assurance": "command", "evidence": {}})])
    assert go_back("5", 3)["error"]["name"] == "PersonNeeded"


@pytest.mark.parametrize("asked", [GATE, GATE.replace("title=", "quorum=2, title=")], ids=["one", "two"])
def test_what_a_person_has_answered_since_is_not_undone_by_an_older_permit(asked: str) -> None:
    run = begin_guarded(asked + "    await ctx.breakpoint('More?')\n")
    permit_to_go_back(4)
    run.refresh()
    (effect,) = run.state.pending.values()
    accept(run, [decide(run, effect, False, by="me", assurance="command")])
    assert go_back("4", 3)["error"]["name"] == "PersonNeeded"


def test_a_permit_in_a_damaged_journal_does_not_count() -> None:
    begin_guarded()
    permit_to_go_back(3)
    third = sorted(Path(".a5c/runs/r/journal").iterdir())[2]
    third.write_bytes(third.read_bytes().replace(b"s-1", b"s-2"))
    shutil.rmtree(".a5c/runs/r/state")
    error = told("repair", "r", code=3)["error"]
    assert (error["name"], error["hint"]) == (
        "PersonNeeded",
        "in a terminal of your own: babysitter repair r",
    )


def test_a_person_permits_to_go_back_to_before_an_event() -> None:
    begin_guarded()
    with Terminal("approve", "r", "--permit", "repair", "--before", "3", "--yes") as terminal:
        terminal.sees("go back to an earlier event")
        terminal.sees("to before event 3")
        assert terminal.end() == 0
    assert go_back("3")["person"]["assurance"] == "terminal"


@pytest.mark.parametrize("words", [[], ["--permit", "release"]])
def test_an_event_to_go_back_to_belongs_to_a_permit_for_that(words: list[str]) -> None:
    begin()
    assert told("approve", "r", *words, "--before", "3", code=2)["error"]["name"] == "UsageError"


@pytest.mark.parametrize("is_ended", [False, True])
def test_a_session_does_not_miss_what_a_person_has_cut(is_ended: bool) -> None:
    run = begin()
    bind(run, "claude-code", "s-1")
    permit_to_go_back(4)
    run.refresh()
    keep_head("s-1", run.journal.head, stops=3)
    if is_ended:
        set_aside("s-1")
    go_back("4")
    progress = progress_of("s-1")
    check_tail(opened(), progress)
    assert (progress["seq"], progress["stops"]) == (3, 0)


def test_a_session_does_not_miss_what_a_person_has_cut_of_a_child() -> None:
    run = begin(FAMILY)
    bind(run, "claude-code", "s-1")
    told("iterate", "r")
    (name,) = [child.run_id for child in family(opened())[1:]]
    permit_to_go_back(4, name)
    keep_head("s-1", run.journal.head, stops=3, below=heads_of([opened(name)]))
    told("repair", name, "--before", "4")
    progress = progress_of("s-1")
    check_below(opened(), progress)
    assert (below_of(progress)[0]["seq"], progress["stops"]) == (3, 3)


def test_a_session_of_another_run_keeps_what_it_has_seen() -> None:
    other = begin(name="other")
    bind(other, "claude-code", "s-2")
    begin_guarded()
    permit_to_go_back(3)
    before = progress_of("s-2")
    go_back("3")
    assert progress_of("s-2") == before


def test_a_person_at_a_terminal_can_go_back() -> None:
    begin_guarded()
    with Terminal("repair", "r", "--before", "3") as terminal:
        terminal.sees("repaired")
        assert terminal.end() == 0
    (report,) = Path(".a5c/runs/r/quarantine").glob("*.json")
    assert '"assurance":"terminal"' in report.read_text()


@pytest.mark.parametrize("words", [["archive", "r"], ["cleanup", "r", "--yes"]])
def test_a_run_that_has_not_ended_is_not_put_away(words: list[str]) -> None:
    begin_guarded()
    assert (told(*words, code=3)["error"]["name"], len(opened().state.pending)) == ("Conflict", 1)


# Signatures


def new_key(name: str = "key") -> str:
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", name]
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
    return Path(f"{name}.pub").read_text()


@needs_ssh_keygen
def test_a_signed_answer_is_taken_and_can_be_verified_by_who_knows_the_key() -> None:
    begin_guarded(SIGNED)
    Path("signers").write_text(f"anna {new_key()}")
    told("approve", "r", "--sign", "--key", "key", "--option", "live")
    assert told("iterate", "r")["output"] == [True, "live"]
    (approval,) = told("verify", "r", "--signers", "signers")["approvals"]
    assert (approval["signer"], approval["approved"], approval["event"]) == ("anna", True, 4)
    assert "event 4: anna approved" in call("verify", "r", "--signers", "signers").stdout


@needs_ssh_keygen
def test_signed_answers_that_were_not_checked_are_counted() -> None:
    begin_guarded(SIGNED)
    Path("signers").write_text(f"anna {new_key()}")
    assert "uncheckedSignatures" not in told("verify", "r")
    told("approve", "r", "--sign", "--key", "key", "--option", "live")
    said = (
        "1 signed answer was not checked; by your file of allowed signers: babysitter verify r --signers FILE"
    )
    assert told("verify", "r")["uncheckedSignatures"] == 1
    assert call("verify", "r").stdout.splitlines()[1:] == [f"  {said}"]
    assert "uncheckedSignatures" not in told("verify", "r", "--signers", "signers")


@needs_ssh_keygen
def test_a_signature_by_nobody_who_is_known_cannot_be_trusted() -> None:
    begin(SIGNED)
    new_key()
    told("approve", "r", "--sign", "--key", "key")
    Path("signers").write_text(f"bert {new_key('other')}")
    codes = [call("verify", *words, "--signers", "signers").code for words in (["r"], ["--all"])]
    assert (codes, call("verify", "r").code) == ([5, 5], 0)


@needs_ssh_keygen
def test_a_key_that_is_not_among_the_users_own_signers_answers_nothing(home: Path) -> None:
    begin(SIGNED)
    new_key()
    (home / "allowed_signers").write_text(f"bert {new_key('other')}")
    assert told("approve", "r", "--sign", "--key", "key", code=2)["error"]["name"] == "InvalidInput"
    assert len(opened().state.pending) == 1


@needs_ssh_keygen
def test_a_signed_answer_again_is_answered_already() -> None:
    begin(SIGNED)
    new_key()
    words = ["approve", "r", opened().state.pending.popitem()[0], "--sign", "--key", "key"]
    assert [told(*words)["status"] for _ in range(2)] == ["recorded", "already"]


def test_what_has_to_be_signed_says_so() -> None:
    begin(SIGNED)
    error = told("approve", "r", code=2)["error"]
    assert (error["name"], error["hint"].endswith("--sign")) == ("ResultRejected", True)


def test_a_key_is_to_sign_with() -> None:
    begin()
    assert told("approve", "r", "--key", "key", code=2)["error"]["hint"] == "add --sign"


def test_a_file_of_signers_that_is_not_there_is_named() -> None:
    begin()
    assert "'nowhere'" in told("verify", "r", "--signers", "nowhere", code=2)["error"]["message"]


# Policy


def test_a_run_by_policy_asks_nobody_and_says_so() -> None:
    write("p.py", GATE)
    assert told("run", "p.py", "--run-id", "r", "--yolo")["output"] == [True, "staging"]
    assert evidence()["assurance"] == "policy"


def test_a_run_by_policy_goes_on_while_other_work_is_done() -> None:
    write(
        "p.py",
        """
        @shell
        def busy():
            return "until test -e go; do sleep 0.05; done"

        @shell
        def after():
            return "touch go"

        async def process(inputs, ctx):
            async def gate():
                await ctx.breakpoint("Go on?")
                await ctx.task(after)
            await ctx.parallel.all([lambda: ctx.task(busy), gate])
        """,
    )
    assert told("run", "p.py", "--run-id", "r", "--yolo", "--jobs", "2")["status"] == "completed"


def test_a_run_by_policy_waits_where_a_person_is_demanded() -> None:
    write("p.py", SIGNED)
    assert told("create", "p.py", "--run-id", "r", "--yolo")["status"] == "waiting"


def test_inside_a_session_nobody_but_a_person_chooses_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    write("p.py", GATE)
    monkeypatch.setenv("CLAUDECODE", "1")
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", "s-1")
    error = told("create", "p.py", "--run-id", "r", "--yolo", code=3)["error"]
    assert (error["name"], Path(".a5c/runs/r").exists()) == ("PersonNeeded", False)


@pytest.mark.usefixtures("home")
def test_what_a_person_has_granted_in_a_session_serves_once(monkeypatch: pytest.MonkeyPatch) -> None:
    write("p.py", GATE)
    monkeypatch.setenv("CLAUDECODE", "1")
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", "s-1")
    grant("s-1", "policy", {"prompt": "p-1"})
    assert told("create", "p.py", "--run-id", "r", "--yolo")["status"] == "completed"
    options = opened().state.created["options"]
    assert (options["breakpoints"], options["granted"]["prompt"]) == ("policy", "p-1")
    assert told("create", "p.py", "--run-id", "q", "--yolo", code=3)["error"]["name"] == "PersonNeeded"


def test_a_session_bound_meanwhile_is_no_way_round_a_question() -> None:
    """A question that is open at a terminal is still a person's to answer."""
    write("p.py", GATE)
    with Terminal("run", "p.py", "--run-id", "r") as terminal:
        terminal.sees("[1-2, its text or n")
        opened().append([("SESSION_BOUND", {"host": "claude-code", "sessionId": "s-1"})])
        assert call("approve", "r").code == 3
        terminal.types("1\r")
        wait_until(lambda: not opened().state.pending)
        assert terminal.end() == 0
