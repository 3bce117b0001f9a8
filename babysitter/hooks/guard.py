"""A tool is about to be called: hands off the journal, and off what only a person may do.

A guard rail against accidents and shortcuts, no wall: a shell can be told anything in ways that no
text search finds. What gets through shows in the chain, or is refused where it arrives.
"""

from __future__ import annotations

import os
from itertools import pairwise

from babysitter.hosts.calls import QUESTION, SCHEDULE, SHELL, SUBAGENT, WRITE, deny, let_go
from babysitter.paths import STATE_FOLDER, home
from babysitter.sessions.binding import binding_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.hosts.calls import Answer, Call

PERSONS = ("approve", "reject")
# What the host calls when a person or a subagent has said something; only it may.
HOOK = "babysitter-hook"
SCRIPTS = ("command", "prompt", "permission", "after-tool", "subagent-stop", "session-end")
FREE = ("artifacts",)
RUNS = f"{STATE_FOLDER}/runs"
JOURNAL = (
    "the files of a run are written by babysitter only; a journal that was touched counts for nothing."
    " Results: `babysitter post RUN EFFECT --value JSON`. Files of your own: the run's artifacts/"
)
OWN = (
    "what its user has decided and trusts, and which runs there are, is written by babysitter only;"
    " a rule is added by a person: babysitter rule add"
)
# What a shell may not write of the user's own folder; nothing of all this is written by a file tool.
PLACES = "places"
OWN_FILES = ("rules.json", "trusted.json", "allowed_signers", PLACES)
HOOKS = "the hooks are called by the host only; what a person decides, they type or choose themselves"
PERSON = (
    "only a person can answer a breakpoint or permit a way round the process: ask them with the question"
    " tool, or let them type /babysitter:approve"
)


def before_tool(call: Call) -> Answer:
    """Deny what would write into a run or answer for a person; a question to a person gets our words."""
    if call.tool == QUESTION:
        from babysitter.hooks.dialog import question

        return question(call)
    if call.agent:
        from babysitter.hooks.taking import sign_of_life

        sign_of_life(call)
    if call.tool == SUBAGENT:
        from babysitter.hooks.rated import may_begin

        return may_begin(call)
    reason = {WRITE: _of_write, SHELL: _of_shell, SCHEDULE: _of_schedule}.get(call.tool, _nothing)(call)
    if reason:
        return deny(f"babysitter: {reason}")
    if call.tool == SHELL and "--prompt" in str(call.tool_input.get("command")):
        from babysitter.hooks.taking import fetched

        fetched(call)
    return let_go()


def _nothing(call: Call) -> str:
    return ""


def _of_write(call: Call) -> str:
    path = call.tool_input.get("file_path") or call.tool_input.get("notebook_path")
    if not isinstance(path, str):
        return ""
    real = os.path.realpath(os.path.join(call.project, path))
    binding = binding_of(call.session)
    folders = [os.path.dirname(binding.folder)] if binding else []
    is_run = any(_is_inside(real, folder, depth=1) for folder in folders)
    if is_run or any(_is_inside(real, os.path.join(home(), name)) for name in ("sessions", "envs")):
        return JOURNAL
    is_own = os.path.dirname(real) == os.path.realpath(home()) or _is_inside(
        real, os.path.join(home(), PLACES)
    )
    return OWN if is_own else ""


def _is_inside(path: str, folder: str, depth: int = 0) -> bool:
    """Whether a path is in a folder; but not below a name that is free, so many levels further down."""
    root = os.path.join(os.path.realpath(folder), "")
    if not path.startswith(root):
        return False
    parts = path[len(root) :].split(os.sep)
    return not (depth and len(parts) > depth and parts[depth] in FREE)


def _of_shell(call: Call) -> str:
    command = call.tool_input.get("command")
    if not isinstance(command, str):
        return ""
    if _is_persons(command):
        return PERSON
    if any(f"hooks/{name}" in command for name in SCRIPTS) or HOOK in command:
        from babysitter.hooks.shell_text import commands_of, programs_of

        called = [program for words in commands_of(command) for program, _ in programs_of(words)]
        if any(_is_hook(program) for program in called):
            return HOOKS
    binding = binding_of(call.session)
    places = [RUNS, f"{STATE_FOLDER}/sessions", os.path.join(home(), "sessions")]
    places += [binding.folder, *_runs_named(command, os.path.dirname(binding.folder))] if binding else []
    places.append("run.lock")
    return JOURNAL if _writes_into(command, places) else OWN if _writes_into(command, _own_places()) else ""


def _own_places() -> list[str]:
    return [os.path.join(folder, name) for folder in (STATE_FOLDER, home()) for name in OWN_FILES]


def _writes_into(command: str, places: list[str]) -> bool:
    if not any(place in command for place in places):
        return False
    from babysitter.hooks.shell_text import writes_into

    return writes_into(command, places)


def _runs_named(command: str, folder: str) -> list[str]:
    """The runs in a folder of runs that a command names, as it names them; nothing else that is in there.

    A child run lies beside its parent, and whether one is a child makes no difference here.
    """
    if f"{folder}/" not in command:
        return []
    from fnmatch import fnmatchcase

    from babysitter.hooks.shell_text import named_in
    from babysitter.runs.folder import run_ids

    runs = list(run_ids(folder))
    return [
        os.path.join(folder, name)
        for name in named_in(command, folder)
        if any(fnmatchcase(run_id, name) for run_id in runs)
    ]


def _is_hook(program: str) -> bool:
    folder, name = os.path.split(program)
    return name == HOOK or (os.path.basename(folder) == "hooks" and name in SCRIPTS)


def _is_persons(command: str) -> bool:
    """Whether a command answers a breakpoint, or types a person's command into another session."""
    words = command.replace("'", " ").replace('"', " ").split()
    if "/babysitter:" in command and any(
        os.path.basename(word).startswith("claude") or word in ("-p", "--resume") for word in words
    ):
        return True
    return any(
        os.path.basename(word) == "babysitter" and following in PERSONS for word, following in pairwise(words)
    )


def _of_schedule(call: Call) -> str:
    prompt = call.tool_input.get("prompt")
    return PERSON if isinstance(prompt, str) and "babysitter:" in prompt else ""
