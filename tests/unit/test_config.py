from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from babysitter.config import LIMIT_NAMES, agent_command, load
from babysitter.config_file import DEEPEST
from babysitter.errors import InvalidInput
from babysitter.journal.events import MAX_DEPTH
from babysitter.trust import suggested, trust

if TYPE_CHECKING:
    from pathlib import Path

    from babysitter.config import Settings


class Files:
    """The two configuration files."""

    def __init__(self, home: Path, project: Path) -> None:
        self.user = home / "config.yaml"
        self.project = project / ".a5c" / "config.yaml"
        self.project.parent.mkdir()

    def load(self, user: str | None = None, project: str | None = None) -> Settings:
        for path, text in ((self.user, user), (self.project, project)):
            if text is not None:
                path.write_text(text)
        return load(str(self.project.parent.parent))


@pytest.fixture
def files(home: Path, project: Path) -> Files:
    return Files(home, project)


def test_without_a_file_the_defaults_hold(files: Files) -> None:
    told = files.load()
    limits = tuple(getattr(told.limits, field) for field in LIMIT_NAMES.values())
    assert (told.jobs, told.agents, told.limits.iterate_seconds, limits) == (
        None,
        {},
        30,
        (16 << 20, 64 << 20, 250_000, 100, 32 << 10),
    )


def test_without_a_file_nothing_is_imported_to_read_one(project: Path) -> None:
    script = f"""
import sys
sys.path[:0] = {sys.path!r}
from babysitter.config import load
load({str(project)!r})
print([name for name in ("pydantic", "yaml", "difflib") if name in sys.modules])
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert told == "[]\n"


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_a_file_may_say_nothing(files: Files, text: str) -> None:
    assert files.load(text, text).jobs is None


def test_a_user_says_what_holds(files: Files) -> None:
    told = files.load(
        "jobs: 4\niterateSeconds: 2.5\nagent: fast\nagents: {fast: {command: [claude, -p]}}\n"
        "limits: {resultBytes: 5, depth: 6, inlineBytes: 7, memoryBytes: 8, keys: 9}\n"
    )
    limits = tuple(getattr(told.limits, field) for field in LIMIT_NAMES.values())
    assert (told.jobs, told.limits.iterate_seconds, told.agent_command, limits) == (
        4,
        2.5,
        ["claude", "-p"],
        (5, 8, 9, 6, 7),
    )


def test_a_user_may_raise_limits(files: Files) -> None:
    told = files.load(f"limits: {{resultBytes: 100000000, depth: {DEEPEST}}}\niterateSeconds: 600\n").limits
    assert (told.result_bytes, told.depth, told.iterate_seconds) == (100_000_000, DEEPEST, 600)


def test_no_limit_goes_beyond_what_the_journal_can_hold() -> None:
    assert MAX_DEPTH - 10 >= DEEPEST


@pytest.mark.parametrize(
    ("own", "theirs", "holds"), [(10, 5, 5), (5, 10, 5), (None, 5, 5), (None, 10**9, 16 << 20)]
)
def test_a_project_can_only_lower_limits(files: Files, own: int | None, theirs: int, holds: int) -> None:
    told = files.load(
        f"limits: {{resultBytes: {own}}}" if own else None, f"limits: {{resultBytes: {theirs}}}"
    )
    assert told.limits.result_bytes == holds


@pytest.mark.parametrize(("own", "theirs", "holds"), [(8, 2, 2), (2, 8, 2), (None, 3, 3), (3, None, 3)])
def test_a_project_can_only_lower_the_number_of_jobs(
    files: Files, own: int | None, theirs: int | None, holds: int
) -> None:
    told = files.load(f"jobs: {own}" if own else None, f"jobs: {theirs}" if theirs else None)
    assert told.jobs == holds


@pytest.mark.parametrize(("theirs", "holds"), [(0.5, 0.5), (600, 30)])
def test_a_project_can_only_shorten_the_deadline(files: Files, theirs: float, holds: float) -> None:
    assert files.load(None, f"iterateSeconds: {theirs}").limits.iterate_seconds == holds


def test_a_project_chooses_among_the_users_agents(files: Files) -> None:
    told = files.load("agents: {a: {command: [one]}, b: {command: [two]}}", "agent: b")
    assert agent_command(told) == ["two"]


def test_without_an_agent_there_is_no_command(files: Files) -> None:
    assert agent_command(files.load("jobs: 1")) is None


def test_an_agent_that_is_not_configured_is_named_with_those_that_are(files: Files) -> None:
    with pytest.raises(InvalidInput, match="agent 'c' is not configured; configured are: a, b") as caught:
        agent_command(files.load("agents: {b: {command: [x]}, a: {command: [x]}}", "agent: c"))
    assert str(files.user) in caught.value.hint


SUGGESTED = "agents: {default: {command: [theirs]}}"


def trust_project(files: Files) -> None:
    project = str(files.project.parent.parent)
    trust(project, suggested(project))


def test_a_command_that_only_the_project_names_is_not_called(files: Files) -> None:
    told = files.load(None, SUGGESTED)
    with pytest.raises(InvalidInput, match="'default' is suggested by the project") as caught:
        agent_command(told)
    assert (told.agents, caught.value.hint.endswith("babysitter trust add")) == ({}, True)


def test_a_command_of_the_project_that_the_user_has_trusted_is_called(files: Files) -> None:
    files.load(None, SUGGESTED)
    trust_project(files)
    assert agent_command(files.load()) == ["theirs"]


def test_trust_is_for_the_very_bytes(files: Files) -> None:
    files.load(None, SUGGESTED)
    trust_project(files)
    with pytest.raises(InvalidInput, match="not trusted by you"):
        agent_command(files.load(None, SUGGESTED.replace("theirs", "evil")))


def test_the_users_own_command_stands_whatever_the_project_suggests(files: Files) -> None:
    files.load("agents: {default: {command: [own]}}", SUGGESTED)
    before = agent_command(files.load())
    trust_project(files)
    assert (before, agent_command(files.load())) == (["own"], ["own"])


def test_what_the_project_suggests_besides_needs_no_trust(files: Files) -> None:
    assert files.load(None, f"{SUGGESTED}\njobs: 2").jobs == 2


def test_without_a_word_about_them_secrets_are_redacted(files: Files) -> None:
    limits = files.load("jobs: 1", "jobs: 2").limits
    assert (limits.redacts, limits.secret_names, limits.secret_patterns) == (True, (), ())


def test_a_user_may_have_secrets_written(files: Files) -> None:
    assert files.load("redact: {enabled: false}").limits.redacts is False


def test_names_and_patterns_of_the_project_are_added_to_the_users(files: Files) -> None:
    limits = files.load(
        "redact: {names: [pin], patterns: ['(a|b)+c']}", "redact: {names: [dsn], patterns: ['ACME-[0-9]{4}']}"
    ).limits
    assert (limits.secret_names, limits.secret_patterns) == (("pin", "dsn"), ("(a|b)+c", "ACME-[0-9]{4}"))


@pytest.mark.parametrize("told", ["true", "false"])
def test_a_project_cannot_say_whether_secrets_are_redacted(files: Files, told: str) -> None:
    with pytest.raises(InvalidInput, match="a project's configuration cannot have secrets written"):
        files.load(None, f"redact: {{enabled: {told}}}")


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("a(", "not a regular expression: missing \\), unterminated subpattern at position 1"),
        ("a{99999999999}", "not a regular expression"),
        ("a?", "it matches the empty text"),
        (r"\\b", "it matches the empty text"),
        ("é", "a pattern is ASCII"),
        ("", "at least 1 character"),
    ],
)
@pytest.mark.parametrize("is_project", [False, True])
def test_a_pattern_that_cannot_be_used_is_refused(
    files: Files, pattern: str, reason: str, is_project: bool
) -> None:
    text = f'redact: {{patterns: [ok, "{pattern}"]}}'
    with pytest.raises(InvalidInput, match=f"'redact.patterns.1' in '.*config.yaml': .*{reason}"):
        files.load(*((None, text) if is_project else (text, None)))


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("x(a|a)y", "no groups"),
        ("(?i)abc", "no groups"),
        ("xa+", "with a bound"),
        ("x[(]*", "with a bound"),
        ("xa{3,}", "with a bound"),
        ("xa?b?", "at most"),
        ("xa{1,2}b{1,2}", "at most"),
        ("xa{2,3}?", "at most"),
        ("xa{1,999}", "256 times"),
        ("xa{999}", "256 times"),
        ("a" * 501, "at most 500 characters"),
    ],
)
def test_a_projects_pattern_that_could_take_long_is_refused(files: Files, pattern: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        files.load(None, f"redact: {{patterns: ['{pattern}']}}")


@pytest.mark.parametrize(
    "pattern", [r"ACME-[0-9A-F]{32}", r"k_[a-z(*+]{8,64}", r"a\(\+b", "a{2}b{3}c?", "a?b|c{1,2}d"]
)
def test_a_projects_pattern_may_be_of_these_kinds(files: Files, pattern: str) -> None:
    assert files.load(None, f"redact: {{patterns: ['{pattern}']}}").limits.secret_patterns == (pattern,)


def test_a_project_adds_a_few_patterns_only(files: Files) -> None:
    with pytest.raises(InvalidInput, match="at most 20 items"):
        files.load(None, f"redact: {{patterns: {['abc'] * 21}}}")


@pytest.mark.parametrize("name", ["ab", "a b", "a" * 65, "é-é"])
def test_a_name_that_is_no_key_is_refused(files: Files, name: str) -> None:
    with pytest.raises(InvalidInput, match=r"'redact\.names\.0'"):
        files.load(f"redact: {{names: ['{name}']}}")


@pytest.mark.parametrize(
    ("text", "key", "nearest"),
    [
        ("redact: {pattern: [a]}", "redact.pattern", "patterns"),
        ("jbos: 3", "jbos", "jobs"),
        ("limits: {resultbytes: 1}", "limits.resultbytes", "resultBytes"),
        ("agents: {default: {comand: [x]}}", "agents.default.comand", "command"),
        ("iterate_seconds: 3", "iterate_seconds", "iterateSeconds"),
    ],
)
def test_a_misspelt_key_is_named_with_the_nearest(files: Files, text: str, key: str, nearest: str) -> None:
    with pytest.raises(InvalidInput, match=f"unknown key '{key}' in '{files.user}'") as caught:
        files.load(text)
    assert caught.value.hint == f"did you mean '{nearest}'?"


def test_a_key_that_is_like_no_other_tells_all_there_are(files: Files) -> None:
    with pytest.raises(InvalidInput) as caught:
        files.load(None, "zzz: 1")
    assert (
        caught.value.hint == "known keys: jobs, agent, iterateSeconds, hookSeconds, limits, redact, kinds,"
        " tasks, budget, agents"
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("jobs: many", "jobs"),
        ("jobs: 0", "jobs"),
        ("jobs: true", "jobs"),
        ("iterateSeconds: 0", "iterateSeconds"),
        ("iterateSeconds: .inf", "iterateSeconds"),
        ("iterateSeconds: .nan", "iterateSeconds"),
        ("limits: 3", "limits"),
        ("limits: {depth: 200}", "limits.depth"),
        ("agents: {default: {command: claude -p}}", "agents.default.command"),
        ("agents: {default: {command: []}}", "agents.default.command"),
        ("agents: {default: {command: [1]}}", "agents.default.command.0"),
        ("[1, 2]", "the file"),
        ("text", "the file"),
        ("1: 2", "1"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named_by_its_place(files: Files, text: str, place: str) -> None:
    with pytest.raises(InvalidInput, match=f"^'{place}' in "):
        files.load(text)


@pytest.mark.parametrize("content", [b"jobs: [", b"\xff", b"a: b: c", b"!!python/object/apply:os.getcwd []"])
def test_a_file_that_is_not_yaml_is_named_in_one_line(files: Files, content: bytes) -> None:
    files.user.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"config\.yaml' is not YAML") as caught:
        files.load()
    assert "\n" not in caught.value.message


def test_a_home_in_the_project_is_read_once_and_as_the_users(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BABYSITTER_HOME", str(files.project.parent))
    assert files.load(None, "agents: {default: {command: [x]}}").agent_command == ["x"]


def test_rates_of_the_user_and_of_the_project_all_hold(files: Files) -> None:
    told = files.load(
        "kinds: {agent: {limit: 10/minute}}\ntasks: {review: {limit: 5/hour}}\n",
        "kinds: {agent: {limit: 99/s}}\n",
    )
    project = os.path.realpath(files.project.parent.parent)
    assert [(rate.scope, rate.what, rate.name, rate.count, rate.window_ms) for rate in told.rates] == [
        ("", "kind", "agent", 10, 60_000),
        ("", "task", "review", 5, 3_600_000),
        (project, "kind", "agent", 99, 1_000),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kinds: {agent: {limit: 10}}", "valid string"),
        ("kinds: {agent: {limit: often}}", "'often' is no rate; write it as 10/minute, 5/hour or 100/10m"),
        ("kinds: {agent: {}}", "Field required"),
        ("kinds: {sleep: {limit: 1/m}}", "nothing is started for a sleep, so there is nothing to limit"),
        ("tasks: {review: {limits: 1/m}}", "unknown key 'tasks.review.limits'"),
    ],
)
def test_a_rate_that_is_none_is_refused(files: Files, text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        files.load(text)


def test_a_project_can_only_shorten_the_time_of_hooks(files: Files) -> None:
    told = [
        files.load("hookSeconds: 20\n", f"hookSeconds: {seconds}\n").limits.hook_seconds
        for seconds in (5, 60)
    ]
    assert told == [5, 20]


PRICES = """
prices:
  currency: EUR
  models:
    "claude-sonnet-*": {input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75}
  default: {input: 1, output: 2}
"""
USED = {"inputTokens": 1_000_000, "outputTokens": 0}


def test_a_user_says_what_tokens_cost(files: Files) -> None:
    prices = files.load(PRICES).limits.prices
    assert prices is not None
    named = [prices.money_of({**USED, "model": model}) for model in ("claude-sonnet-4-5", "gpt-5")]
    assert (prices.currency, named) == ("EUR", [3, 1])


@pytest.mark.parametrize("text", ["", "jobs: 1\n", "prices: {}\n"])
def test_where_nobody_says_what_tokens_cost_there_are_no_prices(files: Files, text: str) -> None:
    assert files.load(text).limits.prices is None


def test_prices_are_in_dollars_unless_something_else_is_said(files: Files) -> None:
    prices = files.load("prices: {default: {input: 1, output: 1}}\n").limits.prices
    assert prices is not None
    assert prices.currency == "USD"


def test_a_project_cannot_say_what_tokens_cost(files: Files) -> None:
    with pytest.raises(
        InvalidInput, match="a project's configuration cannot say what tokens cost"
    ) as refused:
        files.load(PRICES, PRICES)
    assert refused.value.hint == "only your own configuration has this key"


@pytest.mark.parametrize(
    ("prices", "said", "hint"),
    [
        ("{default: {input: 1}}", "'prices.default.output'", "mend the value"),
        ("{default: {input: -1, output: 1}}", "'prices.default.input'", "mend the value"),
        ("{default: {input: .nan, output: 1}}", "'prices.default.input'", "mend the value"),
        ("{default: {input: .inf, output: 1}}", "'prices.default.input'", "mend the value"),
        ("{default: {input: '1', output: 1}}", "'prices.default.input'", "mend the value"),
        ("{default: {input: true, output: 1}}", "'prices.default.input'", "mend the value"),
        ("{currency: US dollars}", "'prices.currency'", "mend the value"),
        ("{models: {'': {input: 1, output: 1}}}", "'prices.models", "mend the value"),
        ("{curency: USD}", "unknown key 'prices.curency'", "did you mean 'currency'?"),
        (
            "{models: {m: {input: 1, output: 1, cacheread: 1}}}",
            "unknown key 'prices.models.m.cacheread'",
            "did you mean 'cacheRead'?",
        ),
        (
            "{default: {input: 1, output: 1, cachewrites: 1}}",
            "unknown key 'prices.default.cachewrites'",
            "did you mean 'cacheWrite'?",
        ),
    ],
)
def test_a_price_that_cannot_be_is_refused(files: Files, prices: str, said: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        files.load(f"prices: {prices}\n")
    assert (said in refused.value.message, refused.value.hint) == (True, hint), refused.value.message
