"""Other answers than the usual ones: what fails, how many items there are, what an open result has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from babysitter.graphs.values import TEXT, value_for

if TYPE_CHECKING:
    from babysitter.graphs.keys import Key

EVERY, SECOND = 1, 2


class Scenario(NamedTuple):
    """How the answers of a dry run differ from the usual ones.

    Attributes:
        failing: places in the source whose requests fail, or exit with 1, each with which of them:
            every one, or every second one.
        is_double: lists have two items.
        is_high: numbers are as high as their schema allows.
        rich: tasks of whose result nothing is known, and that give a list with all that is named anywhere.
        has_all_inputs: inputs that are empty by default are not.
    """

    failing: tuple[tuple[Key, int], ...] = ()
    is_double: bool = False
    is_high: bool = False
    rich: frozenset[str] = frozenset()
    has_all_inputs: bool = False

    def differs_harmlessly_from(self, other: Scenario) -> bool:
        """Nothing more goes wrong, and nobody asks for more."""
        return (self.failing, self.has_all_inputs) == (other.failing, other.has_all_inputs)

    def failing_at(self, key: Key, which: int) -> Scenario:
        return self._replace(failing=(*self.failing, (key, which)))


USUAL = Scenario()


def doubled(value: Any) -> Any:
    """The same with two items in each list that has one; texts in the second are others."""
    if isinstance(value, dict):
        return {key: doubled(each) for key, each in value.items()}
    if not isinstance(value, list):
        return value
    inner = [doubled(each) for each in value]
    return [*inner, _other(inner[0])] if len(inner) == 1 else inner


def _other(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _other(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_other(each) for each in value]
    return f"{TEXT}-2" if value == TEXT else value


def filled(inputs: Any, schema: Any, *, is_double: bool = False) -> Any:
    """Inputs with a stub for each that is as empty as its default."""
    if not isinstance(inputs, dict) or not isinstance(schema, dict):
        return inputs
    more = {
        name: _full(rule)
        for name, rule in schema.get("properties", {}).items()
        if _is_empty(rule) and inputs.get(name, rule["default"]) == rule["default"]
    }
    return {**inputs, **(doubled(more) if is_double else more)}


def _is_empty(rule: Any) -> bool:
    """The default is nothing, so that what it is about is left out."""
    default = rule.get("default", ...) if isinstance(rule, dict) else ...
    return default is None or default is False or default in ("", [])


def _full(rule: dict[str, Any]) -> Any:
    wanted = {name: each for name, each in rule.items() if name != "default"}
    return True if rule["default"] is False else value_for(wanted)
