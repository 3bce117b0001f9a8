"""``babysitter``: the group of commands, how errors are told, and how the program ends."""

from __future__ import annotations

import gc
import os
import sys
from typing import Any, NoReturn

import click

from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import complain, tell_error
from babysitter.errors import BabysitterError, StorageError

# Command → module that has it. A module is imported when its command is called (or all are
# listed), so no command pays for another's imports.
COMMANDS = {
    "run": "running",
    "resume": "running",
    "work": "running",
    "create": "iterating",
    "iterate": "iterating",
    "take": "taking",
    "post": "posting",
    "approve": "approving",
    "reject": "approving",
    "cancel": "stopping",
    "halt": "stopping",
    "status": "looking",
    "tasks": "looking",
    "show": "looking",
    "events": "looking",
    "list": "looking",
    "watch": "following",
    "budget": "budgeting",
    "cost": "costing",
    "inbox": "awaiting",
    "hooks": "hooking",
    "verify": "checking",
    "doctor": "checking",
    "repair": "repairing",
    "check": "changing",
    "rewind": "changing",
    "fork": "forking",
    "replay": "comparing",
    "diff": "comparing",
    "archive": "storing",
    "restore": "storing",
    "cleanup": "cleaning",
    "trust": "trusting",
    "rule": "ruling",
    "process": "processes",
    "session": "sessions",
    "run:create": "original",
    "run:iterate": "original",
    "run:status": "original",
    "run:events": "original",
    "task:list": "original_tasks",
    "task:show": "original_tasks",
    "task:post": "original_tasks",
}
HIDDEN = frozenset(name for name in COMMANDS if ":" in name)
INTERRUPTED = 130
COMPLETION = "_BABYSITTER_COMPLETE"
UNREAD = StorageError.exit_code
INTERNAL = 70


class Commands(click.Group):
    """Commands that are imported on demand, in the order of a run's life."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in COMMANDS if name not in HIDDEN]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = __import__(f"babysitter.cli.{COMMANDS[cmd_name]}", fromlist=["commands"])
        return module.commands[cmd_name]  # type: ignore[no-any-return]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        is_unknown = args and args[0] not in COMMANDS and not args[0].startswith("-")
        if is_unknown and not ctx.resilient_parsing:
            from babysitter.cli.old_names import unknown

            raise unknown(args[0], list(COMMANDS))
        return super().resolve_command(ctx, args)


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from babysitter.version import version

        click.echo(f"babysitter {version()}")
        ctx.exit()


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Example:
  babysitter run quality-checks
  babysitter resume latest

\b
Exit codes: 0 ok, 1 the run failed, 2 wrong usage or input, 3 conflict, 4 not found,
5 journal not to be trusted, 6 unsafe path, 7 stuck or diverged, 8 waits for an agent
or a person, 70 a mistake in babysitter, 74 I/O, 75 busy, 130 interrupted.""",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version.",
)
def group() -> None:
    """Keep an agent to a process written in Python, in parallel, and lose nothing."""


def main(argv: list[str] | None = None) -> NoReturn:
    """Run one command and end the program.

    It ends by ``os._exit``: leaving Python the normal way would close the suspended
    process and so run its author's ``finally`` blocks.
    """
    arguments = sys.argv[1:] if argv is None else argv
    # The launcher starts Python with a text for a program; who holds a lock tells its name from here.
    sys.argv = ["babysitter", *arguments]
    _open_standard_streams()
    _keep_own_rights()
    # A short command ends before it would be worth it, and a large journal makes millions of objects.
    gc.disable()
    try:
        code = _run(arguments)
    except BaseException:
        # Even a mistake in telling of a mistake must not lead to Python's own way out.
        code = INTERNAL
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            # Nobody reads any more (a closed pipe); what was to be recorded is recorded.
            pass
    os._exit(code)


def _open_standard_streams() -> None:
    """Where one was closed by the caller, the next file opened would take its place and be written to."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8"))  # noqa: SIM115


def _keep_own_rights() -> None:
    """A umask that takes rights from the user himself would make files that nobody can read again."""
    found = os.umask(0o077)
    os.umask(found & 0o077)


def _run(arguments: list[str]) -> int:
    try:
        code: Any = group.main(args=arguments, prog_name="babysitter", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        return _tell_interrupted(arguments)
    except SystemExit as error:
        # Shell completion ends so, and click where it finds that nobody reads what it prints.
        return _as_code(error.code) if COMPLETION in os.environ else UNREAD
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.message, err=True)
        return error.exit_code
    except click.ClickException as error:
        return tell_error(_from_click(error), arguments, usage=_usage(error))
    except BabysitterError as error:
        return tell_error(error, arguments)
    except OSError as error:
        return tell_error(
            StorageError(f"{error.filename or 'the disk'}: {error.strerror or error}"), arguments
        )
    except BaseException as error:
        return _tell_own_mistake(error, arguments)
    return _as_code(code)


def _tell_interrupted(arguments: list[str]) -> int:
    if "--json" in arguments:
        told = {"name": "Interrupted", "message": "the command was interrupted", "exitCode": INTERRUPTED}
        print_json({"error": told})
    return INTERRUPTED


def _as_code(code: Any) -> int:
    return code if isinstance(code, int) else 0


def _tell_own_mistake(error: BaseException, arguments: list[str]) -> int:
    """A mistake in babysitter: the traceback for its makers, or one object for a program."""
    if "--json" in arguments:
        message = f"{type(error).__name__}: {error}"
        print_json({"error": {"name": "InternalError", "message": message, "exitCode": INTERNAL}})
    else:
        import traceback

        for told in "".join(traceback.format_exception(error)).splitlines():
            complain(told)
        complain("error: this is a mistake in babysitter; what it acknowledged is recorded")
    return INTERNAL


def _from_click(error: click.ClickException) -> BabysitterError:
    from babysitter.errors import UsageError

    return UsageError(error.format_message().rstrip("."), hint=_about_inputs(error))


def _about_inputs(error: click.ClickException) -> str:
    """What to write where somebody gives the inputs of a process as options or arguments of the command."""
    context = getattr(error, "ctx", None)
    takes_inputs = context is not None and any("--input" in each.opts for each in context.command.params)
    if takes_inputs and isinstance(error, click.NoSuchOption) and not error.possibilities:
        return f"an input of the process is given so: -i {error.option_name.lstrip('-')}=VALUE"
    if takes_inputs and "unexpected extra argument" in error.message:
        return "an input of the process is given so: -i NAME=VALUE"
    return ""


def _usage(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return context.get_usage() if context is not None else ""
