"""Digests and the names made of them."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest

from babysitter.ids import (
    base32,
    digest10,
    effect_id,
    new_run_id,
    running_sha256,
    sha256_hex,
    ulid,
    valid_id,
)


@pytest.mark.parametrize("data", [b"", b"abc", b"x" * 10_000])
def test_the_digest_is_sha_256(data: bytes) -> None:
    assert sha256_hex(data) == hashlib.sha256(data).hexdigest()


def test_digest10_is_the_beginning_of_the_digest() -> None:
    assert digest10(b"abc").hex() == sha256_hex(b"abc")[:20]


@pytest.mark.parametrize("expected_bytes", [0, 1 << 30])
def test_a_running_digest_is_the_digest_of_all_pieces(expected_bytes: int) -> None:
    running = running_sha256(expected_bytes)
    for piece in (b"ab", b"", b"c"):
        running.update(piece)
    assert running.hexdigest() == sha256_hex(b"abc")


def test_a_ulid_has_the_time_first_and_then_the_bits() -> None:
    # The example of the ULID specification, 01ARYZ6S41...: its time is 1469918176385.
    assert ulid(1469918176385, bytes(10)) == "01ARYZ6S410000000000000000"


def test_the_largest_ulid_is_all_that_128_bits_hold() -> None:
    assert ulid(2**48 - 1, b"\xff" * 10) == "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"


def test_later_ulids_sort_later() -> None:
    assert ulid(1, b"\xff" * 10) < ulid(2, bytes(10))


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"", ""), (b"\xff", "zw"), (b"\x00\x01", "000g"), (bytes(10), "0" * 16), (b"\xff" * 10, "z" * 16)],
)
def test_base32_has_five_bits_a_character(data: bytes, text: str) -> None:
    assert base32(data) == text


def test_base32_of_ten_bytes_is_the_same_as_of_its_halves() -> None:
    data = bytes(range(100, 110))
    assert base32(data) == base32(data[:5]) + base32(data[5:])


@pytest.mark.parametrize("text", ["a", "A-b_9", "0", "x" * 64])
def test_ids(text: str) -> None:
    assert valid_id(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-a",
        "_a",
        "x" * 65,
        "a/b",
        "..",
        "a.b",
        "a\n",
        "a\0",
        "a b",
        "é",
        "٣",
        "a\u202e",
        "-rf",
        "a" * 300,
    ],
)
def test_no_ids(text: str) -> None:
    assert not valid_id(text)


def test_what_is_not_text_is_no_id() -> None:
    assert not valid_id(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("process", "slug"),
    [
        ("fix-bug", "fix-bug"),
        ("My Process/v2", "my-process-v2"),
        ("...", "run"),
        ("", "run"),
        ("é" * 9, "run"),
    ],
)
def test_a_run_id_shows_its_process(process: str, slug: str) -> None:
    assert new_run_id(process)[:-7] == slug


@pytest.mark.parametrize("process", ["a", "-", "x" * 300, "../../etc", "a\nb"])
def test_a_run_id_is_an_id(process: str) -> None:
    assert valid_id(new_run_id(process))


def test_two_run_ids_differ() -> None:
    assert new_run_id("a") != new_run_id("a")


def test_an_effect_id_never_changes() -> None:
    # Recorded: runs on disk depend on it.
    assert effect_id("run-abc", "3.0.2", "tests", "a" * 64, 1, None) == "rg4f8jqymq8xwgkr"


def test_an_effect_id_depends_on_all_that_makes_the_request() -> None:
    base = ("run", "3", "task", "hash", 1, None)
    others = [
        ("ru", "n3", "task", "hash", 1, None),
        ("run", "4", "task", "hash", 1, None),
        ("run", "3", "other", "hash", 1, None),
        ("run", "3", "task", "other", 1, None),
        ("run", "3", "task", "hash", 2, None),
        ("run", "3", "task", "hash", 1, "edit"),
    ]
    assert len({effect_id(*parts) for parts in [base, *others]}) == 7


def test_openssl_is_not_loaded_for_small_things() -> None:
    program = """
import sys
from babysitter.ids import effect_id, running_sha256
effect_id("a", "1", "t", "h", 1, None)
running_sha256(1000).update(b"x")
print("_hashlib" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_without_the_interpreters_own_module_the_digest_is_the_same() -> None:
    program = """
import sys
sys.modules["_sha256"] = sys.modules["_sha2"] = None
from babysitter.ids import sha256_hex
print(sha256_hex(b"abc"))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == sha256_hex(b"abc")
