"""JSON as text: compact, canonical, strict."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from babysitter import jsontext
from babysitter.errors import InvalidInput
from babysitter.jsontext import canonical, compact, is_deeper_than, loads, parse_strict


class Limits:
    result_bytes = 1000
    memory_bytes = 10**8
    keys = 10**6
    depth = 5


def parse(raw: bytes | str) -> Any:
    return parse_strict(raw, limits=Limits())


def nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


def test_compact_keeps_the_order_of_keys_and_all_letters() -> None:
    assert compact({"b": [1, 2.5, None, True], "a": "é\n"}) == '{"b":[1,2.5,null,true],"a":"é\\n"}'


def test_compact_writes_tuples_and_number_keys_as_json_has_them() -> None:
    assert compact({1: (1, 2)}) == '{"1":[1,2]}'


def test_canonical_sorts_keys_at_every_level() -> None:
    assert (
        canonical({"b": {"d": 1, "c": 2}, "a": [{"z": 1, "y": 2}]})
        == '{"a":[{"y":2,"z":1}],"b":{"c":2,"d":1}}'
    )


def test_canonical_counts_tuples_as_lists() -> None:
    assert canonical({"a": (1, (2,))}) == canonical({"a": [1, [2]]})


class Later:
    """What a process would await."""

    def __await__(self) -> Any:
        yield


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"a": [Later()]},
            "the value at 'a[0]' is of type 'Later', which is not awaited; write `await` before it",
        ),
        ({"a": {"b": [1, {2}]}}, "the value at 'a.b[1]' is of type 'set', which is not JSON"),
        (b"x", "the value is of type 'bytes', which is not JSON"),
        ({"a": {1: 2}}, "the key 1 at 'a' is of type 'int', and a JSON key is text"),
        ([{(1, 2): 3}], "the key (1, 2) at '[0]' is of type 'tuple', and a JSON key is text"),
        ([1.0, float("nan")], "the value at '[1]' is nan, which JSON does not have"),
        ({"a": float("-inf")}, "the value at 'a' is -inf, which JSON does not have"),
        (["\ud800"], "the value at '[0]' holds a lone surrogate at character 0, which is not text"),
        ({"x\udfff": 1}, "the key holds a lone surrogate at character 1, which is not text"),
        ([10**5000], "the value at '[0]' is an integer of more digits than Python writes"),
    ],
)
def test_canonical_says_what_is_not_json_and_where(value: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        canonical(value)
    assert str(caught.value) == message


@pytest.mark.parametrize("write", [compact, canonical])
def test_a_value_that_contains_itself_is_refused(write: Any) -> None:
    value: list[Any] = []
    value.append({"again": value})
    with pytest.raises(ValueError, match="nested too deeply or contains itself"):
        write(value)


def test_compact_refuses_what_is_no_key_at_all() -> None:
    with pytest.raises(TypeError, match=r"the key \(1, 2\) is of type 'tuple', and a JSON key is text"):
        compact({(1, 2): 3})


@pytest.mark.parametrize("raw", ['{"a":[1,2.5,"x"]}', b' {"a": 1} \n', "[]", "1", b'"\xc3\xa9"'])
def test_what_json_reads_is_read_the_same(raw: bytes | str) -> None:
    assert (loads(raw), parse(raw)) == (json.loads(raw), json.loads(raw))


@pytest.mark.parametrize("raw", [b"{", b"", b"[1,]", b"[1] 2", b"\xff"])
def test_loads_raises_value_error_for_what_is_not_json(raw: bytes) -> None:
    with pytest.raises(ValueError):
        loads(raw)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"NaN", "'NaN'"),
        (b"[-Infinity]", "'-Infinity'"),
        (b"[1e999]", "'1e999', which is too large"),
        (b'{"a":1,"b":{"c":1,"c":2}}', "key 'c' twice"),
        (b'["\\ud800"]', "lone surrogate"),
        (b'{"\\uDFFF":1}', "lone surrogate"),
        ('["\ud800"]', "not UTF-8"),
        (b'"\xc0\x80"', "not UTF-8"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        ('{"a":1}'.encode("utf-16"), "not UTF-8"),
        ('{"a":1}'.encode("utf-16-le"), "not valid"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b"{} {}", "Extra data"),
        (b"[1", "Expecting ',' delimiter: line 1 column 3"),
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b'["a\nb"]', "Invalid control character"),
        (b"[01]", "not valid"),
        (b"'a'", "Expecting value"),
        (b"[" * 6 + b"]" * 6, "more than 5 levels"),
        (b"[" * 400 + b"]" * 400, "more than 5 levels"),
        (b" " * 1001, "1001 bytes, at most 1000"),
    ],
)
def test_strict_reading_refuses(raw: bytes | str, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(raw)
    assert reason in caught.value.message


def test_strict_reading_refuses_a_depth_that_python_cannot_read() -> None:
    class Large(Limits):
        result_bytes = 10**7

    with pytest.raises(InvalidInput, match="nested more than 5 levels deep"):
        parse_strict(b"[" * 10**5 + b"]" * 10**5, limits=Large())


def test_strict_reading_refuses_an_integer_of_5000_digits() -> None:
    class Large(Limits):
        result_bytes = 10**7

    with pytest.raises(InvalidInput, match="an integer of 5000 characters, at most 4000 are read"):
        parse_strict(b"9" * 5000, limits=Large())


def test_strict_reading_accepts_a_pair_of_surrogates() -> None:
    assert parse(b'"\\ud83d\\ude00"') == "😀"


def test_the_size_limit_counts_bytes_and_not_letters() -> None:
    with pytest.raises(InvalidInput, match="1002 bytes"):
        parse('"' + "é" * 500 + '"')


@pytest.mark.parametrize(("depth", "deeper"), [(0, False), (2, False), (3, True)])
def test_depth_is_counted_in_containers(depth: int, deeper: bool) -> None:
    assert is_deeper_than(nested(depth), 2) is deeper


def test_without_the_c_accelerator_all_is_the_same() -> None:
    program = """
import sys
sys.modules["_json"] = None
from babysitter.jsontext import canonical, compact, loads
value = {"b": (1, "é"), "a": {"d": None, "c": 1.5}}
print(ascii([canonical(value), compact(value), loads(compact(value))]))
for bad in ({1: 2}, {"a": {2}}, float("nan"), "\\ud800"):
    try:
        canonical(bad)
    except (TypeError, ValueError) as error:
        print(ascii(str(error)))
"""
    accelerated = program.replace('sys.modules["_json"] = None', "")
    outputs = [
        subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout
        for text in (program, accelerated)
    ]
    assert outputs[0] == outputs[1]
    assert jsontext._json is not None


def test_reading_and_writing_imports_neither_json_nor_re() -> None:
    program = """
import sys
from babysitter.jsontext import canonical, loads, parse_strict
class Limits: result_bytes, depth, memory_bytes, keys = 100, 10, 10000, 100
canonical(parse_strict(b'{"a":[1]}', limits=Limits())), loads(b"[1]")
print(sorted({"json", "re", "enum", "typing"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
