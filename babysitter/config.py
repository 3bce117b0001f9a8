"""Configuration: the user's ``config.yaml``, and what a project's ``.a5c/config.yaml`` narrows.

Without a file nothing is imported and the defaults hold. A project can lower
limits, choose among the user's agents by name, and say what else is a secret;
it can never raise a limit or have a secret written, because a cloned repository
must not widen what is allowed. What tokens cost is said by the user alone.
Commands that it names for agents count only when the user has trusted exactly
that file (``babysitter trust``). Its rate limits hold beside the user's: what
they count is what is started in that project.
"""

from __future__ import annotations

import os

from babysitter.errors import InvalidInput
from babysitter.limits import Limits
from babysitter.paths import STATE_FOLDER, home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.rate import Rate

FILE = "config.yaml"
LIMIT_NAMES = {
    "resultBytes": "result_bytes",
    "memoryBytes": "memory_bytes",
    "keys": "keys",
    "depth": "depth",
    "inlineBytes": "inline_bytes",
}


class Settings:
    """What holds for one command.

    Attributes:
        jobs: how many effects at once; None = as many as there are processors.
        agents: commands by name.
        agent: the name of the agent to use.
        untrusted: names of the agents that the project suggests, and that the user has not trusted.
        rates: how often effects may be started; all of them hold.
        answers_as: names and roles that the user answers breakpoints as.
        budget: what each new run may spend at most.
    """

    __slots__ = ("agent", "agents", "answers_as", "budget", "jobs", "limits", "rates", "untrusted")

    def __init__(self) -> None:
        self.jobs: int | None = None
        self.agents: dict[str, list[str]] = {}
        self.agent = "default"
        self.untrusted: list[str] = []
        self.rates: list[Rate] = []
        self.answers_as: list[str] = []
        self.budget: dict[str, Any] = {}
        self.limits = Limits()

    @property
    def agent_command(self) -> list[str] | None:
        """The command of the chosen agent, if the user has configured one."""
        return self.agents.get(self.agent)


def load(project: str) -> Settings:
    """The user's configuration, narrowed by the project's.

    Raises:
        InvalidInput: a file is not YAML or has a key or value that is not known; names it.
    """
    settings, user = user_settings(), _user_file()
    narrower = os.path.join(project, STATE_FOLDER, FILE)
    if os.path.isfile(narrower) and not _is_same(user, narrower):
        content = _content(narrower)
        told = _read(narrower, content, is_project=True)
        _apply_project(settings, told)
        _add_rates(settings, told, os.path.realpath(project))
        if told.get("agents"):
            _apply_suggested(settings, told["agents"], project, content)
    return settings


def user_settings() -> Settings:
    """The user's own configuration alone.

    Raises:
        InvalidInput: as in ``load``.
    """
    settings, user = Settings(), _user_file()
    if os.path.isfile(user):
        told = _read(user, _content(user), is_project=False)
        _apply_user(settings, told)
        _add_rates(settings, told, "")
    return settings


def _user_file() -> str:
    return os.path.join(home(), FILE)


def _is_same(first: str, second: str) -> bool:
    return os.path.exists(first) and os.path.samefile(first, second)


def _content(path: str) -> bytes:
    from babysitter.files import read_regular
    from babysitter.yamltext import MOST_BYTES

    return read_regular(path, MOST_BYTES, follow=True)


def _read(path: str, content: bytes, *, is_project: bool) -> dict[str, Any]:
    from babysitter.config_file import read_config

    return read_config(path, content, is_project=is_project)


def _apply_suggested(settings: Settings, agents: dict[str, Any], project: str, content: bytes) -> None:
    """Agents of the project's, beside the user's own; those that nobody has trusted are only named."""
    from babysitter.trust import CONFIG, is_trusted

    commands = {name: agent["command"] for name, agent in agents.items() if name not in settings.agents}
    if is_trusted(project, CONFIG, content):
        settings.agents |= commands
    else:
        settings.untrusted = sorted(commands)


def _apply_user(settings: Settings, told: dict[str, Any]) -> None:
    settings.jobs = told.get("jobs")
    settings.agent = told.get("agent") or settings.agent
    settings.answers_as = told.get("answersAs", [])
    settings.budget = told.get("budget", {})
    settings.agents = {name: agent["command"] for name, agent in told.get("agents", {}).items()}
    for name, field in LIMIT_NAMES.items():
        if name in told.get("limits", {}):
            setattr(settings.limits, field, told["limits"][name])
    settings.limits.iterate_seconds = told.get("iterateSeconds") or settings.limits.iterate_seconds
    settings.limits.hook_seconds = told.get("hookSeconds") or settings.limits.hook_seconds
    settings.limits.redacts = told.get("redact", {}).get("enabled", True)
    if told.get("prices"):
        from babysitter.prices import Prices

        settings.limits.prices = Prices(told["prices"])
    _add_secrets(settings.limits, told)


def _add_secrets(limits: Limits, told: dict[str, Any]) -> None:
    redact = told.get("redact", {})
    limits.secret_names += tuple(redact.get("names", ()))
    limits.secret_patterns += tuple(redact.get("patterns", ()))


def _add_rates(settings: Settings, told: dict[str, Any], scope: str) -> None:
    if "kinds" in told or "tasks" in told:
        from babysitter.rate import KIND, TASK, Rate

        for what, key in ((KIND, "kinds"), (TASK, "tasks")):
            rated = told.get(key, {})
            settings.rates += [Rate(scope, what, name, rated[name]["limit"]) for name in rated]


def _apply_project(settings: Settings, told: dict[str, Any]) -> None:
    settings.jobs = min(filter(None, (settings.jobs, told.get("jobs"))), default=None)
    if told.get("agent"):
        settings.agent = told["agent"]
    if told.get("budget"):
        # An estimate of nothing would let everything pass.
        own = {name: amounts for name, amounts in told["budget"].items() if name != "estimate"}
        settings.budget = _narrowed(settings.budget, own)
    for name, field in LIMIT_NAMES.items():
        if name in told.get("limits", {}):
            setattr(settings.limits, field, min(getattr(settings.limits, field), told["limits"][name]))
    if told.get("iterateSeconds"):
        settings.limits.iterate_seconds = min(settings.limits.iterate_seconds, told["iterateSeconds"])
    if told.get("hookSeconds"):
        settings.limits.hook_seconds = min(settings.limits.hook_seconds, told["hookSeconds"])
    _add_secrets(settings.limits, told)


def _narrowed(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    from babysitter.budget import narrowed

    return narrowed(first, second)


def agent_command(settings: Settings) -> list[str] | None:
    """The command of the agent that is asked for.

    Raises:
        InvalidInput: it was named, and no such agent is configured; or only the project suggests it.
    """
    if settings.agent in settings.untrusted:
        raise InvalidInput(
            f"the command of agent {settings.agent!r} is suggested by the project, and not trusted by you",
            hint="look at .a5c/config.yaml, then: babysitter trust add",
        )
    if settings.agent_command is None and settings.agent != "default":
        known = ", ".join(sorted(settings.agents)) or "none"
        raise InvalidInput(
            f"agent {settings.agent!r} is not configured; configured are: {known}",
            hint=f"add it under `agents:` in {os.path.join(home(), FILE)}",
        )
    return settings.agent_command
