"""Commands of the original Babysitter that are not taken here, and what is done in their place."""

from __future__ import annotations

from babysitter.errors import UsageError

# A name that was typed by mistake must not lead to a command that ends a run, or takes something away.
NEVER_SUGGESTED = frozenset({"archive", "cancel", "cleanup", "halt", "reject", "rewind"})
LIBRARY = "use: babysitter process list"
SESSIONS = "use: babysitter session list, session whoami, session bind RUN, or session release"
HOOKS = "the host calls the plugin's own hooks; of yours: babysitter hooks RUN"
HOST = "the agent host installs and updates plugins itself"
SKILLS = "the plugin's skills say this: /babysitter:help in a session"
COMPRESSION = "nothing is compressed here, so there is nothing to set"
PROFILE = "there are no profiles here; what holds for a project stands in its .a5c/config.yaml"
BEGIN = "use: babysitter run PROCESS, or /babysitter:call in a session"

# What is looked up first is the whole name, then all that stands before and with its colon.
CURES = {
    "run:execute-tasks": "use: babysitter work RUN",
    "run:rebuild-state": "not needed: state/ is rebuilt when it is needed",
    "run:repair-journal": "use: babysitter repair RUN",
    "run:recover-process-error": "mend the process, then use: babysitter resume RUN",
    "run:assign-process": "use: babysitter create PROCESS; a run keeps the process that it was made with",
    "run:halt": "use: babysitter halt RUN",
    "task:cancel": "use: babysitter cancel RUN EFFECT",
    "session:init": "use: babysitter session bind RUN, in the session; `babysitter create` does it by itself",
    "session:associate": "use: babysitter session bind RUN, in the session",
    "session:resume": "use: babysitter session bind RUN, in the session, or type /babysitter:resume there",
    "session:state": "use: babysitter session list, or session whoami",
    "session:update": "not needed: nothing counts the iterations of a session",
    "session:check-iteration": "not needed: the plugin's Stop hook decides it; babysitter status RUN",
    "session:iteration-message": "not needed: the plugin's Stop hook says it; babysitter status RUN",
    "session:last-message": "not needed: the proof is in the journal, and not in what an agent says",
    "session:whoami": "use: babysitter session whoami",
    "session:cleanup": "not needed: a session that has died keeps nothing; babysitter session list",
    "session:": SESSIONS,
    "hook:log": "use: babysitter hooks RUN",
    "hook:": HOOKS,
    "log": "a process does it: ctx.log(message, **fields); babysitter events RUN shows it",
    "process-library:": LIBRARY,
    "skill:": LIBRARY,
    "profile:": PROFILE,
    "plugin:": HOST,
    "tokens:": "use: babysitter cost RUN, or babysitter cost --all",
    "compression:": COMPRESSION,
    "compress-output": COMPRESSION,
    "breakpoint:approve-rule": "use: babysitter rule add --match ID --always",
    "breakpoint:remove-rule": "use: babysitter rule remove NAME",
    "breakpoint:list-rules": "use: babysitter rule list",
    "breakpoint:should-auto-approve": "use: babysitter rule test",
    "breakpoint:": "use: babysitter inbox, or babysitter rule list",
    "harness:resume": "use: babysitter resume RUN",
    "harness:resume-run": "use: babysitter resume RUN",
    "harness:yolo": "use: babysitter run PROCESS --yolo, or /babysitter:yolo in a session",
    "harness:doctor": "use: babysitter doctor",
    "harness:observe": "use: babysitter watch RUN",
    "harness:help": "use: babysitter --help",
    "harness:cleanup": "use: babysitter cleanup --dry-run, which shows what would go",
    "harness:create-run": BEGIN,
    "harness:call": BEGIN,
    "harness:plan": "type /babysitter:plan in a session",
    "harness:forever": "type /babysitter:forever in a session",
    "harness:": "an agent is a command here: babysitter run PROCESS --agent-command 'claude -p'",
    "instructions:": SKILLS,
    "mcp:": "there is no server here; every command has --json",
    "health": "use: babysitter doctor",
    "configure": "write ~/.a5c/config.yaml, or .a5c/config.yaml of the project; babysitter doctor reads them",
    "observe": "use: babysitter watch RUN",
    "tui": "use: babysitter watch RUN",
    "version": "use: babysitter --version",
    "help": "use: babysitter --help",
}


def unknown(name: str, known: list[str]) -> UsageError:
    """The error for a command that there is not: what is done in its place, or what may have been meant."""
    family, colon, _ = name.partition(":")
    cure = CURES.get(name) or CURES.get(family + colon)
    if cure:
        return UsageError(f"there is no command {name!r}, which is one of the original's", hint=cure)
    return UsageError(f"there is no command {name!r}; {_meant(name, known)}")


def _meant(name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, [*known, *(old for old in CURES if not old.endswith(":"))], n=4)
    safe = [each for each in near if each.rpartition(":")[2] not in NEVER_SUGGESTED]
    return f"did you mean {safe[0]!r}?" if safe else "babysitter --help lists the commands"
