"""Results and inputs that are no strict JSON, too large or too much: one line, and nothing changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ground import limit_memory

from tests.support.commands import Ended, call
from tests.support.folders import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ground import Ground

INVALID = 2
MANY = 1_000_000
# What is wrong, and what is said of it.
SMALL = {
    "not a number": (b"NaN", "'NaN', which is not JSON"),
    "infinity": (b"[-Infinity]", "'-Infinity', which is not JSON"),
    "too large a number": (b'{"a":1e999}', "'1e999', which is too large for a float"),
    "too long a number": (b"1" * 5000, "an integer of 5000 characters, at most 4000 are read"),
    "a key twice": (b'{"a":1,"b":{"k":1,"k":1}}', "the key 'k' twice"),
    "deep": (b"[" * 100_000 + b"]" * 100_000, "nested more than 100 levels"),
    "deep objects": (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "nested more than 100 levels"),
    "deep and torn": (b"[" * 100_000, "nested more than 100 levels"),
    "half a character": (b'"\\udc00"', "lone surrogate"),
    "half a character as a key": (b'{"\\ud800":1}', "lone surrogate"),
    "half a character in UTF-8": (b'"\xed\xa0\x80"', "not UTF-8"),
    "overlong UTF-8": (b'"\xc0\xaf"', "not UTF-8"),
    "beyond Unicode": (b'"\xf4\x90\x80\x80"', "not UTF-8"),
    "UTF-16": ('"a"'.encode("utf-16"), "not UTF-8"),
    "UTF-16 without mark": ('"a"'.encode("utf-16-le"), "not valid"),
    "a byte order mark": (b'\xef\xbb\xbf"a"', "byte order mark"),
    "nothing": (b"", "is empty"),
    "only spaces": (b" \n\t ", "is empty"),
    "torn": (b'{"a": [1, 2', "not valid"),
    "a torn text": (b'"abc', "not valid"),
    "two values": (b"1 2", "not valid"),
    "two objects": (b"{}{}", "not valid"),
    "a comma too many": (b"[1,]", "not valid"),
    "single quotes": (b"{'a':1}", "not valid"),
    "a comment": (b"1 // one", "not valid"),
    "a control character": (b'"a\nb"', "not valid"),
    "a NUL": (b"\0", "not valid"),
    "other digits": ("\u0661".encode(), "not valid"),
    "another space": ("\u00a01".encode(), "not valid"),
}
LARGE: dict[str, tuple[Callable[[], bytes], str]] = {
    "a long text": (lambda: b'"' + b"x" * 50_000_000 + b'"', "more than 16777216 bytes"),
    "many keys": (
        lambda: b"{" + b",".join(b'"%x":0' % n for n in range(MANY)) + b"}",
        "1000000 keys, at most 250000",
    ),
    "many lists": (lambda: b"[" + b"[]," * MANY + b"[]]", "bytes in memory, at most 67108864"),
    "the last key twice": (
        lambda: b"{" + b",".join(b'"%x":0' % (n % 199_999) for n in range(200_000)) + b"}",
        "the key '0' twice",
    ),
    "many keys in many objects": (
        lambda: b"[" + b",".join([b'{"a":0}'] * MANY) + b"]",
        "1000000 keys, at most 250000",
    ),
    "many numbers": (lambda: b"[" + b"0," * 5 * MANY + b"0]", "bytes in memory, at most 67108864"),
}
WAYS = {
    "file": ["post", "r", "2.0.1", "--file", "given"],
    "lines": ["post", "r", "--lines", "given"],
    "inputs": ["create", "p.py", "--run-id", "new", "--inputs", "given"],
    "stdin": ["post", "r", "2.0.1", "--file", "-"],
}


def give(ground: Ground, way: str, content: bytes) -> Ended:
    """Hand it over in this way."""
    if way == "lines":
        # A good answer before it, which must not be recorded either.
        content = b'{"effect":"2.0.1","value":1}\n{"effect":"2.1.1","value":' + content + b"}"
    if way == "stdin":
        return call(*WAYS[way], stdin=content)
    (ground.project / "given").write_bytes(content)
    return call(*WAYS[way])


def check_refused(ground: Ground, way: str, content: bytes, said: str | None) -> None:
    before = digest_of(ground.run.parent)
    ended = give(ground, way, content)
    errors = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert (ended.code, ended.stdout, len(errors)) == (INVALID, "", 1), ended
    assert said is None or said in errors[0]
    assert ("Traceback" in ended.stderr, len(ended.stderr) < 2000) == (False, True)
    assert digest_of(ground.run.parent) == before


@pytest.mark.parametrize("what", SMALL)
def test_what_is_no_strict_json_is_refused(ground: Ground, what: str) -> None:
    check_refused(ground, "file", *SMALL[what])


@pytest.mark.parametrize(
    "what", ["not a number", "a key twice", "deep", "half a character", "UTF-16", "nothing"]
)
def test_inputs_that_are_no_strict_json_are_refused(ground: Ground, what: str) -> None:
    check_refused(ground, "inputs", *SMALL[what])


@pytest.mark.parametrize(
    "what", ["infinity", "a key twice", "deep and torn", "UTF-16", "overlong UTF-8", "torn"]
)
def test_a_line_that_is_no_strict_json_is_refused(ground: Ground, what: str) -> None:
    check_refused(ground, "lines", SMALL[what][0], "line 2 of 'given'")


@pytest.mark.torture
def test_what_is_too_large_or_too_much_is_refused(ground: Ground, torture: bool) -> None:
    ways = ["file", "lines", "inputs", "stdin"]
    for number, what in enumerate(LARGE if torture else [*LARGE][:3]):
        make, said = LARGE[what]
        for way in ways if torture else [ways[number % 4]]:
            check_refused(ground, way, make(), said if way in {"file", "stdin"} else None)


def test_a_legitimate_result_of_the_largest_size_is_taken(ground: Ground) -> None:
    report = b'"' + b"2026-11-24 ok, all: [fine] {really}\\n" * 450_000 + b'"'
    assert 16_000_000 < len(report) < 1 << 24
    assert give(ground, "file", report).code == 0


def test_many_short_lines_are_taken_and_too_many_are_not(ground: Ground) -> None:
    line = b'{"effect":"nobody","value":[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]}\n'
    limit_memory(1_000_000)
    assert give_lines(ground, line * 1000).code == 4
    refused = give_lines(ground, line * 5000)
    assert (refused.code, "bytes in memory, at most 4000000" in refused.stderr) == (INVALID, True), refused


def give_lines(ground: Ground, content: bytes) -> Ended:
    (ground.project / "given").write_bytes(content)
    return call(*WAYS["lines"])


def test_a_line_as_long_as_a_result_may_be_is_taken(ground: Ground) -> None:
    line = b'{"effect":"2.0.1","value":"%s"}' % (b"x" * 16_000_000)
    assert give_lines(ground, line).code == 0


def test_names_in_a_message_are_cut(ground: Ground) -> None:
    name = b"x" * 1_000_000
    ended = give_lines(ground, b'{"effect":"a","%s":1}' % name)
    assert (ended.code, len(ended.stderr) < 6000) == (INVALID, True)
    (ground.project / "given").write_bytes(b'{"effect":"%s","value":1}' % name)
    ended = call(*WAYS["lines"], "--json")
    assert (ended.code, len(ended.stdout) < 12_000) == (4, True)
