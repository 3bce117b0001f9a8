"""Definitions: the plain description that an executor works from, and the way back from its result."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from babysitter import Decision, ShellResult, agent, define_task, python, shell
from babysitter.engine.context import BREAKPOINT, SLEEP
from babysitter.engine.definitions import schema_of, title_of


class Review(BaseModel):
    verdict: str


def described(told: Any, **options: Any) -> Any:
    """The description of a shell task whose function returns this."""

    @shell(**options)
    def command() -> Any:
        return told

    return command.define({})


# Shell.


def test_a_list_of_words_is_run_as_it_is() -> None:
    assert described(["ls", "-l"]) == {
        "kind": "shell",
        "title": "command",
        "shell": {"argv": ["ls", "-l"], "check": True},
    }


def test_words_are_texts_whatever_they_were() -> None:
    assert described(("sleep", 5))["shell"]["argv"] == ["sleep", "5"]


def test_a_text_is_for_the_shell() -> None:
    assert described("ls | wc")["shell"] == {"command": "ls | wc", "check": True}


def test_a_mapping_says_all_of_it_by_hand() -> None:
    assert described({"argv": ["ls"], "cwd": "src"})["shell"] == {"argv": ["ls"], "cwd": "src", "check": True}


def test_options_of_the_task_become_part_of_the_description() -> None:
    options = {
        "check": False,
        "parse": "json",
        "cwd": "src",
        "env": {"A": "1"},
        "secrets": ["B"],
        "input": "in",
    }
    assert described(["ls"], timeout="1m", **options)["shell"] == {"argv": ["ls"], "timeout": 60, **options}


@pytest.mark.parametrize("told", [None, [], 5])
def test_a_shell_function_that_returns_no_command_is_refused(told: Any) -> None:
    with pytest.raises(TypeError) as caught:
        described(told)
    assert str(caught.value) == (
        f"shell task 'command' returned {told!r}; it returns a list of words, or a text for sh"
    )


def test_a_shell_result_comes_back_as_one() -> None:
    @shell
    def command() -> Any: ...

    assert command.read_result({"exitCode": 0, "stdout": "x"}) == ShellResult(0, "x", "", 0)


def test_parsed_output_comes_back_in_place_of_a_shell_result() -> None:
    @shell(parse="json")
    def command() -> Any: ...

    assert command.read_result({"exitCode": 0, "output": [1]}) == [1]


# Python.


@python(timeout=5)
def measure(path: str) -> int:
    """Measure {path}.

    More words.
    """
    return len(path)


def test_a_python_task_says_where_its_function_is() -> None:
    assert measure.define({"path": "a"}) == {
        "kind": "python",
        "title": "Measure {path}.",
        "python": {
            "module": __name__,
            "function": "measure",
            "args": {"path": "a"},
            "interpreter": None,
            "timeout": 5,
        },
    }


def test_a_python_value_comes_back_as_it_is() -> None:
    assert measure.read_result(7) == 7


# Agent.


@agent(returns=Review, name="reviewer")
def review(diff: str) -> str:
    return f"Review {diff}"


def test_an_agent_task_has_a_prompt_and_the_schema_of_its_model() -> None:
    assert review.define({"diff": "x"}) == {
        "kind": "agent",
        "title": "review",
        "agent": {"prompt": "Review x", "outputSchema": Review.model_json_schema(), "name": "reviewer"},
    }


def test_an_agent_task_without_returns_has_no_schema() -> None:
    @agent
    def ask() -> str:
        return "Why?"

    assert ask.define({})["agent"] == {"prompt": "Why?", "outputSchema": None}


def test_an_agent_function_that_forgets_its_prompt_is_refused() -> None:
    @agent
    def ask() -> None: ...

    with pytest.raises(TypeError, match="agent task 'ask' returned None; it returns the prompt"):
        ask.define({})


def test_an_answer_comes_back_as_an_instance_of_the_model() -> None:
    assert review.read_result({"verdict": "good"}) == Review(verdict="good")


def test_an_answer_that_does_not_fit_the_model_is_refused() -> None:
    with pytest.raises(ValidationError):
        review.read_result({})


def test_an_answer_to_a_schema_comes_back_as_it_is() -> None:
    @agent(returns={"type": "object"})
    def ask() -> str:
        return "Why?"

    assert ask.read_result({"a": 1}) == {"a": 1}


def test_returns_is_a_model_or_a_schema() -> None:
    with pytest.raises(
        TypeError, match="returns=<class 'int'> is neither a pydantic model nor a JSON Schema"
    ):
        schema_of(int)


# Described by hand.


def test_a_builder_with_one_parameter_gets_the_arguments() -> None:
    deploy = define_task("deploy", lambda args: {"kind": "skill", "title": f"Deploy {args['service']}"})
    assert deploy.define({"service": "api"}, "effect") == {"kind": "skill", "title": "Deploy api"}


def test_a_builder_with_two_parameters_gets_the_effect_as_well() -> None:
    deploy = define_task("deploy", lambda args, effect: {"kind": "skill", "skill": {"for": effect}})
    assert deploy.define({}, "effect") == {"title": "deploy", "kind": "skill", "skill": {"for": "effect"}}


@pytest.mark.parametrize("described", [{"kind": "skill"}, {"kind": "skill", "title": "Deploy"}])
def test_a_title_for_one_call_comes_before_what_the_builder_gives(described: dict[str, Any]) -> None:
    deploy = define_task("deploy", lambda args: described).using(title="Deploy it")
    assert deploy.define({})["title"] == "Deploy it"


@pytest.mark.parametrize("told", [None, {}, {"kind": 5}, "shell"])
def test_a_builder_that_describes_nothing_is_refused(told: Any) -> None:
    with pytest.raises(TypeError) as caught:
        define_task("deploy", lambda args: told).define({})
    assert str(caught.value) == (
        f"the builder of task 'deploy' returned {told!r}; it returns a dict with a 'kind'"
    )


@pytest.mark.parametrize("kind", ["Shell", "BREAKPOINT", " sleep", "Python", "Agent"])
def test_a_kind_that_looks_like_one_of_babysitters_own_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=f"gave the kind '{kind}'; it is '{kind.strip().lower()}', or"):
        define_task("deploy", lambda args: {"kind": kind, "breakpoint": {"question": "?"}}).define({})


# Breakpoints and sleeps.


def test_a_breakpoint_is_described_by_its_question_and_options() -> None:
    args = {"question": "Merge?", "title": "Merge", "options": ["yes", "no"]}
    assert BREAKPOINT.define(args) == {
        "kind": "breakpoint",
        "title": "Merge",
        "breakpoint": {"question": "Merge?", "options": ["yes", "no"]},
    }


def test_a_breakpoint_without_title_is_known_by_its_question() -> None:
    args = {"question": "Merge?", "title": None, "options": None}
    assert BREAKPOINT.define(args) == {
        "kind": "breakpoint",
        "title": "Merge?",
        "breakpoint": {"question": "Merge?"},
    }


def test_a_breakpoint_that_an_author_describes_demands_a_level_that_there_is() -> None:
    described = {"kind": "breakpoint", "breakpoint": {"question": "Go?", "assurance": "absolute"}}
    task = define_task("gate", lambda args: described)
    with pytest.raises(ValueError, match="there is no assurance 'absolute'"):
        task.define({})


def test_the_answer_to_a_breakpoint_is_a_decision() -> None:
    assert BREAKPOINT.read_result({"approved": True}) == Decision(True)


def test_a_sleep_is_described_by_its_length_or_its_end() -> None:
    assert SLEEP.define({"seconds": 5}) == {"kind": "sleep", "title": "sleep", "sleep": {"seconds": 5}}


# Titles.


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Lint {path}", "Lint a.py"),
        ("Lint {path} with {tool}", "Lint a.py with {tool}"),
        ("{files[1]}", "c.py"),
        ("{count:03}", "007"),
    ],
)
def test_a_title_is_filled_with_the_arguments(title: str, expected: str) -> None:
    args = {"path": "a.py", "files": ["b.py", "c.py"], "count": 7}
    assert title_of(measure.using(title=title), args) == expected


@pytest.mark.parametrize("title", ["Run {", "{0}", "{}", "{path.name}", "{files[9]}", "{path:d}", "{path!z}"])
def test_braces_that_mean_something_else_leave_a_title_as_it_is(title: str) -> None:
    assert title_of(measure.using(title=title), {"path": "a.py", "files": []}) == title


def test_without_a_title_the_first_line_of_the_docstring_is_one() -> None:
    assert title_of(measure, {}) == "Measure {path}."


def test_without_both_the_id_is_the_title() -> None:
    assert title_of(review, {}) == "review"
