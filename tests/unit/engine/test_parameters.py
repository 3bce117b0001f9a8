"""Parameters: a call of a task is bound to names as Python would bind it."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from babysitter.engine.parameters import Parameters


def none() -> None: ...
def one(path: str) -> None: ...
def optional(path: str = "x") -> None: ...
def two(path: str, count: int = 3) -> None: ...
def by_keyword(path: str, *, deep: bool, strict: bool = False) -> None: ...
def anything(path: str, **rest: Any) -> None: ...


def bound(function: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
    return Parameters(function).bind("t", args, kwargs)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (bound(none), {}),
        (bound(two, "a", 1), {"path": "a", "count": 1}),
        (bound(two, "a", count=1), {"path": "a", "count": 1}),
        (bound(two, count=1, path="a"), {"path": "a", "count": 1}),
        (bound(by_keyword, "a", deep=True), {"path": "a", "deep": True}),
        (bound(anything, "a", x=1), {"path": "a", "x": 1}),
    ],
)
def test_arguments_get_the_names_of_their_parameters(found: Any, expected: Any) -> None:
    assert found == expected


def test_a_default_is_left_to_the_function() -> None:
    assert bound(two, "a") == {"path": "a"}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (bound(none, {}), {}),
        (bound(two, {"path": "a", "count": 1}), {"path": "a", "count": 1}),
        (bound(two, {"path": "a"}, count=1), {"path": "a", "count": 1}),
        (bound(one, {"path": "a"}), {"path": "a"}),
        (bound(anything, {"path": "a", "x": 1}), {"path": "a", "x": 1}),
    ],
)
def test_one_mapping_alone_is_the_same_as_keywords(found: Any, expected: Any) -> None:
    assert found == expected


def test_a_mapping_that_does_not_name_the_only_parameter_is_its_value() -> None:
    assert bound(one, {"x": 1}) == {"path": {"x": 1}}


def test_a_builder_without_known_parameters_takes_any_names() -> None:
    assert Parameters(None).bind("t", ({"a": 1},), {"b": 2}) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bound(one), "t() misses the argument 'path'"),
        (lambda: bound(by_keyword, "a"), "t() misses the argument 'deep'"),
        (lambda: bound(anything, x=1), "t() misses the argument 'path'"),
        (lambda: bound(two, "a", size=1), "t() got an unexpected argument 'size'; it takes count, path"),
        (lambda: bound(none, x=1), "t() got an unexpected argument 'x'; it takes none"),
        (lambda: bound(two, {"paths": "a"}), "t() got an unexpected argument 'paths'; it takes count, path"),
        (lambda: bound(one, "a", "b"), "t() takes 1 positional arguments but 2 were given"),
        (lambda: bound(one, "a", path="b"), "t() got multiple values for argument 'path'"),
        (lambda: bound(by_keyword, "a", True), "t() takes 1 positional arguments but 2 were given"),
        (lambda: Parameters(None).bind("t", (5,), {}), "t() takes 0 positional arguments but 1 were given"),
    ],
)
def test_a_wrong_call_is_refused_as_python_would(call: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        call()
    assert str(caught.value) == message


def star(*paths: str) -> None: ...
def before_slash(path: str, /) -> None: ...


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (star, "task 'star' takes *args; give them names, arguments are journalled by name"),
        (before_slash, "task 'before_slash' has parameters before `/`; arguments are journalled by name"),
        (len, "a task is made from a function written with `def`, found <built-in function len>"),
    ],
)
def test_a_function_whose_arguments_have_no_names_is_no_task(function: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        Parameters(function)
    assert str(caught.value) == message


def test_a_partial_is_no_task() -> None:
    with pytest.raises(TypeError, match="a task is made from a function written with `def`"):
        Parameters(functools.partial(one, "a"))


def test_an_empty_mapping_is_no_arguments_where_none_is_needed_and_else_the_argument() -> None:
    assert (bound(one, {}), bound(optional, {})) == ({"path": {}}, {})


def test_a_mapping_that_names_more_than_the_one_parameter_is_the_argument() -> None:
    assert bound(one, {"path": 1, "other": 2}) == {"path": {"path": 1, "other": 2}}
