"""From a task to the plain description that an executor works from, and from its result back to a value."""

from __future__ import annotations

from babysitter.clock import ms_of
from babysitter.durations import seconds
from babysitter.engine.outcomes import Decision, ShellResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from babysitter.engine.tasks import Task


def title_of(task: Task[..., Any], args: dict[str, Any]) -> str:
    """The first line of the docstring, or the title with the arguments filled in."""
    title = task.options.get("title")
    if title:
        return _filled(str(title), args)
    lines = (task.function.__doc__ or "").strip().splitlines()
    return lines[0].strip() if lines else task.id


def _filled(title: str, args: dict[str, Any]) -> str:
    try:
        return title.format_map(_Named(args))
    except (ValueError, LookupError, TypeError, AttributeError):
        # Braces that mean something else; a title is for reading and never stops a run.
        return title


class _Named(dict):  # type: ignore[type-arg]
    """Leaves ``{unknown}`` in a title as it is."""

    def __missing__(self, name: str) -> str:
        return "{" + name + "}"


def _with_timeout(task: Task[..., Any], described: dict[str, Any]) -> dict[str, Any]:
    if task.options.get("timeout") is not None:
        described["timeout"] = seconds(task.options["timeout"])
    return described


def define_shell(task: Task[..., Any], args: dict[str, Any], effect: Any) -> dict[str, Any]:
    """argv as it is; a text goes to ``sh -c``; a mapping says all of it by hand."""
    told = task.function(**args)
    if isinstance(told, str):
        described: dict[str, Any] = {"command": told}
    elif isinstance(told, dict):
        described = dict(told)
    elif isinstance(told, (list, tuple)) and told:
        described = {"argv": [str(part) for part in told]}
    else:
        raise TypeError(
            f"shell task {task.id!r} returned {told!r}; it returns a list of words, or a text for sh"
        )
    for name in ("check", "parse", "cwd", "env", "secrets", "input"):
        if task.options.get(name) is not None:
            described[name] = task.options[name]
    described.setdefault("check", True)
    return {"kind": "shell", "title": title_of(task, args), "shell": _with_timeout(task, described)}


def define_python(task: Task[..., Any], args: dict[str, Any], effect: Any) -> dict[str, Any]:
    """Where a worker process finds the function, and its arguments."""
    described = {
        "module": task.function.__module__,
        "function": task.function.__qualname__,
        "args": args,
        "interpreter": task.options.get("interpreter"),
    }
    return {"kind": "python", "title": title_of(task, args), "python": _with_timeout(task, described)}


def define_agent(task: Task[..., Any], args: dict[str, Any], effect: Any) -> dict[str, Any]:
    """The prompt, and the schema that the answer must fit."""
    prompt = task.function(**args)
    if not isinstance(prompt, (str, dict, list)):
        raise TypeError(f"agent task {task.id!r} returned {prompt!r}; it returns the prompt")
    described = {"prompt": prompt, "outputSchema": schema_of(task.options.get("returns"))}
    if task.options.get("name"):
        described["name"] = task.options["name"]
    return {"kind": "agent", "title": title_of(task, args), "agent": _with_timeout(task, described)}


def define_described(task: Task[..., Any], args: dict[str, Any], effect: Any) -> dict[str, Any]:
    """The author's own description; ``define_task`` learns the kind from it."""
    wants_effect = task.function.__code__.co_argcount > 1
    described = task.function(args, effect) if wants_effect else task.function(args)
    if not isinstance(described, dict) or not isinstance(described.get("kind"), str):
        raise TypeError(
            f"the builder of task {task.id!r} returned {described!r}; it returns a dict with a 'kind'"
        )
    _check_ready(task, described)
    made = {"title": task.id, **described}
    if task.options.get("title"):
        # It can only come from ``using``, and so is meant for this call.
        made["title"] = task.options["title"]
    return made


def _check_ready(task: Task[..., Any], described: dict[str, Any]) -> None:
    """No kind looks like another, and a question and a sleep say what babysitter itself needs of them."""
    kind = described["kind"]
    if kind not in DEFINERS and kind.strip().casefold() in DEFINERS:
        # It would be an agent's to answer, and look like what only babysitter or a person answers.
        raise ValueError(
            f"the builder of task {task.id!r} gave the kind {kind!r};"
            f" it is {kind.strip().casefold()!r}, or a word that cannot be taken for it"
        )
    if kind not in ("breakpoint", "sleep"):
        return
    told = described.get(kind)
    told = told if isinstance(told, dict) else {}
    if kind == "breakpoint" and not (isinstance(told.get("question"), str) and told["question"].strip()):
        raise TypeError(f"the builder of task {task.id!r} gave no {{'breakpoint': {{'question': 'text'}}}}")
    if kind == "breakpoint":
        from babysitter.engine.breakpoints import checked

        described[kind] = checked(told)
    if kind == "sleep" and "until" in told:
        ms_of(told["until"])
    elif kind == "sleep":
        told["seconds"] = seconds(told.get("seconds", ""))


def define_ready(task: Task[..., Any], args: dict[str, Any], effect: Any) -> dict[str, Any]:
    """A breakpoint or a sleep: its arguments are its description."""
    title = task.options.get("title") or args.get("title") or args.get("question") or task.id
    described = {name: value for name, value in args.items() if name != "title" and value is not None}
    return {"kind": task.kind, "title": title, task.kind: described}


def define_orchestrator_task(task: Task[..., Any], args: dict[str, Any], effect: Any) -> dict[str, Any]:
    """What the agent of the session is to do itself, and the schema that its answer must fit."""
    described = {"prompt": args["prompt"], "outputSchema": schema_of(task.options.get("returns"))}
    title = task.options.get("title") or _first_line(args["prompt"])
    return {"kind": task.kind, "title": title, task.kind: _with_timeout(task, described)}


def define_subprocess(task: Task[..., Any], args: dict[str, Any], effect: Any) -> dict[str, Any]:
    """The process of the child run, and its inputs."""
    return {"kind": task.kind, "title": task.options.get("title") or args["process"], task.kind: dict(args)}


def define_hook(task: Task[..., Any], args: dict[str, Any], effect: Any) -> dict[str, Any]:
    """The name of the hooks, and what they are told."""
    return {"kind": task.kind, "title": f"hook {args['name']}", task.kind: dict(args)}


def _first_line(prompt: Any) -> str:
    lines = prompt.strip().splitlines() if isinstance(prompt, str) else []
    return lines[0].strip() if lines else "a task of the session's own"


def schema_of(returns: Any) -> Any:
    """The JSON Schema of ``returns=``: a schema as it is, or that of a pydantic model."""
    if returns is None or isinstance(returns, dict):
        return returns
    if hasattr(returns, "model_json_schema"):
        return returns.model_json_schema()
    raise TypeError(f"returns={returns!r} is neither a pydantic model nor a JSON Schema dict")


def read_shell(task: Task[..., Any], value: Any) -> Any:
    """The parsed output where the task parses, else a ``ShellResult``."""
    if isinstance(value, dict) and "output" in value:
        return value["output"]
    return ShellResult.read(value)


def read_agent(task: Task[..., Any], value: Any) -> Any:
    """A model instance when ``returns`` is a model, else the value."""
    returns: Any = task.options.get("returns")
    return returns.model_validate(value) if hasattr(returns, "model_validate") else value


def read_breakpoint(task: Task[..., Any], value: Any) -> Any:
    return Decision.read(value)


DEFINERS: dict[str, Callable[[Task[..., Any], dict[str, Any], Any], dict[str, Any]]] = {
    "shell": define_shell,
    "python": define_python,
    "agent": define_agent,
    "breakpoint": define_ready,
    "sleep": define_ready,
    "orchestrator_task": define_orchestrator_task,
    "subprocess": define_subprocess,
    "hook": define_hook,
}
READERS: dict[str, Callable[[Task[..., Any], Any], Any]] = {
    "shell": read_shell,
    "agent": read_agent,
    "orchestrator_task": read_agent,
    "breakpoint": read_breakpoint,
}
