from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from babysitter.errors import InvalidInput
from babysitter.runs.inputs import prepare, present
from babysitter.runs.source import Source

if TYPE_CHECKING:
    from projects import Project

PROCESS = """
async def process(inputs, ctx):
    return None
"""
SCHEMA = """
Inputs = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "count": {"type": "integer", "default": 3}, "free": True},
    "required": ["name"],
    "additionalProperties": False,
}
"""
MODEL = """
from pydantic import BaseModel, field_validator

class Inputs(BaseModel):
    name: str
    count: int = 3

    @field_validator("name")
    @classmethod
    def check(cls, name):
        if name == "odd":
            raise LookupError("odd")
        return name
"""
STRICT = """
from pydantic import BaseModel, ConfigDict

class Inputs(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
"""


def source_of(project: Project, declared: str) -> Source:
    return Source(str(project.write(declared + PROCESS, "plain.py")), "process")


@pytest.mark.parametrize("given", [{}, [1], "text", None, 3])
def test_without_a_declaration_anything_is_kept_as_it_is(project: Project, given: Any) -> None:
    source = source_of(project, "")
    assert (prepare(source, given), present(source, given)) == (given, given)


@pytest.mark.parametrize("declared", [SCHEMA, MODEL])
def test_defaults_are_filled_in(project: Project, declared: str) -> None:
    assert prepare(source_of(project, declared), {"name": "a"}) == {"name": "a", "count": 3}


@pytest.mark.parametrize("declared", [SCHEMA, MODEL])
def test_what_is_given_comes_before_the_default(project: Project, declared: str) -> None:
    assert prepare(source_of(project, declared), {"name": "a", "count": 5})["count"] == 5


@pytest.mark.parametrize(
    ("declared", "given", "said"),
    [
        (SCHEMA, {}, "process: name is needed"),
        (SCHEMA, {"name": 1}, "process: name: 1 is not a text"),
        (SCHEMA, {"name": "a", "cuont": 1}, "process: cuont is not known, did you mean 'count'?"),
        (SCHEMA, [], "process: [] is not an object"),
        (MODEL, {}, "process: name is needed"),
        (STRICT, {"name": "a", "nmae": 1}, "process: nmae is not known, did you mean 'name'?"),
        (MODEL, {"name": "a", "count": "x"}, "count: Input should be a valid integer"),
        (MODEL, None, "process: Input should be a valid dictionary"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_with_their_place(
    project: Project, declared: str, given: Any, said: str
) -> None:
    with pytest.raises(InvalidInput, match="the inputs do not fit the process") as caught:
        prepare(source_of(project, declared), given)
    assert said in caught.value.message


@pytest.mark.parametrize("declared", [SCHEMA, MODEL])
def test_a_refusal_names_what_the_process_takes(project: Project, declared: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        prepare(source_of(project, declared), {"name": 1})
    assert caught.value.hint.startswith("the process takes: name, count")


def test_a_model_is_what_the_process_gets(project: Project) -> None:
    source = source_of(project, MODEL)
    assert present(source, {"name": "a", "count": 1}) == source.module.Inputs(name="a", count=1)


def test_a_schema_leaves_the_process_a_plain_value(project: Project) -> None:
    assert present(source_of(project, SCHEMA), {"name": "a"}) == {"name": "a"}


@pytest.mark.parametrize("declared", ["Inputs = 3", "Inputs = ['name']", "class Inputs: pass"])
def test_a_declaration_that_is_none_is_told(project: Project, declared: str) -> None:
    with pytest.raises(InvalidInput, match="it is a JSON Schema dict or a pydantic model"):
        prepare(source_of(project, declared), {})


def test_a_schema_that_is_none_is_told(project: Project) -> None:
    with pytest.raises(InvalidInput, match="the schema itself is not valid"):
        prepare(source_of(project, "Inputs = {'type': 'dict', 'properties': 3}"), {})


def test_a_validator_that_breaks_is_the_authors_mistake(project: Project) -> None:
    project.write(MODEL + PROCESS)
    with pytest.raises(InvalidInput, match="when it checks its inputs, raises LookupError: odd"):
        project.create(inputs={"name": "odd"})


def test_what_a_person_typed_stays_a_text_where_the_process_wants_one(project: Project) -> None:
    source = source_of(project, "Inputs = {'properties': {'version': {'type': 'string'}, 'count': {}}}")
    completed = prepare(source, {"version": 1.1, "count": 3}, {"version": "1.10", "count": "3"})
    assert completed == {"version": "1.10", "count": 3}
