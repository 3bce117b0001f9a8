"""One output stream: its end, its last line, its digest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from babysitter.executors.output import TAIL_BYTES, Output
from babysitter.redaction import Redaction

if TYPE_CHECKING:
    from pathlib import Path


def take(path: Path, *pieces: bytes) -> Output:
    output = Output(str(path))
    for piece in pieces:
        output.take(piece)
    output.close()
    return output


def test_the_end_begins_at_a_line(tmp_path: Path) -> None:
    output = take(tmp_path / "log", b"first line\n", b"x" * 5000 + b"\n", b"y" * 5000)
    assert output.tail() == "y" * 5000


def test_the_end_of_one_long_line_begins_at_a_character(tmp_path: Path) -> None:
    tail = take(tmp_path / "log", b"a" + "é".encode() * 10_000).tail()
    assert (set(tail), len(tail)) == ({"é"}, TAIL_BYTES // 2)


def test_a_single_line_that_ends_the_output_is_not_lost(tmp_path: Path) -> None:
    assert take(tmp_path / "log", b"x" * 20_000 + b"\n").tail() == "x" * (TAIL_BYTES - 1) + "\n"


@pytest.mark.parametrize(
    ("written", "line"),
    [
        (b"", ""),
        (b"\n\n", ""),
        (b"a\nb", "b"),
        (b"a\nb\n\n  \n", "b"),
        (b"10%\r20%\r", "20%"),
        (b"\xff\n", "\ufffd"),
        (b"x" * 1000, "x" * 200),
    ],
)
def test_the_last_line_is_the_last_that_says_something(tmp_path: Path, written: bytes, line: str) -> None:
    assert take(tmp_path / "log", written).last_line() == line


def test_what_is_written_hashed_and_shown_is_redacted(tmp_path: Path) -> None:
    output = take(tmp_path / "log", b"a\npass", b"word=abc", b"def1\n")
    clean = b"a\npassword=[redacted]\n"
    assert (
        (tmp_path / "log").read_bytes(),
        output.sha256(),
        output.size,
        output.tail(),
        output.last_line(),
        output.beginning,
    ) == (
        clean,
        hashlib.sha256(clean).hexdigest(),
        len(clean),
        clean.decode(),
        "password=[redacted]",
        clean,
    )


def test_what_is_kept_as_a_value_is_as_it_came(tmp_path: Path) -> None:
    output = Output(str(tmp_path / "log"))
    output.keep(100)
    output.take(b'{"token": "abcdef"}')
    output.close()
    assert bytes(output.kept) == b'{"token": "abcdef"}'


def test_the_value_of_an_effects_secret_is_not_written(tmp_path: Path) -> None:
    output = Output(str(tmp_path / "log"), Redaction(values=["hunter2000"]))
    output.take(b"say hunter2000\n")
    output.close()
    assert output.tail() == "say [redacted]\n"


def test_nothing_is_redacted_where_it_is_switched_off(tmp_path: Path) -> None:
    output = Output(str(tmp_path / "log"), Redaction(is_on=False))
    output.take(b"token=abcdef1")
    assert (output.tail(), (tmp_path / "log").read_bytes()) == ("token=abcdef1", b"token=abcdef1")


def test_a_line_that_is_not_ended_is_shown_while_the_command_runs(tmp_path: Path) -> None:
    output = Output(str(tmp_path / "log"))
    output.take(b"first\ntokens: 5 of 6 don")
    shown = output.last_line()
    output.close()
    assert (shown, output.last_line()) == ("tokens: 5 of 6", "tokens: 5 of 6 don")


def test_what_is_held_back_is_written_when_the_child_is_over(tmp_path: Path) -> None:
    output = Output(str(tmp_path / "log"))
    output.take(b"a token")
    output.finish()
    output.take(b": abc12345")
    output.close()
    assert (tmp_path / "log").read_bytes() == b"a token: abc12345"


def test_an_earlier_log_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("old and longer")
    take(tmp_path / "log", b"new")
    assert (tmp_path / "log").read_bytes() == b"new"


def test_beside_another_driver_each_writes_a_file_of_its_own(tmp_path: Path) -> None:
    first, second = Output(str(tmp_path / "log")), Output(str(tmp_path / "log"))
    first.take(b"of the first\n")
    second.take(b"of the second\n")
    first.take(b"more\n")
    assert [first.tail(), second.tail()] == ["of the first\nmore\n", "of the second\n"]
    assert (tmp_path / "log").read_bytes() == b"of the second\n"


def test_nothing_is_written_through_a_link_in_the_logs_place(tmp_path: Path) -> None:
    output = Output(str(tmp_path / "log"))
    (tmp_path / "elsewhere").write_text("precious")
    (tmp_path / "log").symlink_to(tmp_path / "elsewhere")
    output.take(b"new")
    assert ((tmp_path / "elsewhere").read_text(), (tmp_path / "log").read_bytes()) == ("precious", b"new")


@given(st.lists(st.binary(max_size=20_000), max_size=6), st.integers(0, 30_000))
def test_however_it_comes_in_pieces_it_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], most: int
) -> None:
    path = tmp_path_factory.mktemp("output") / "log"
    output = Output(str(path))
    output.keep(most)
    for piece in filter(None, pieces):
        output.take(piece)
    output.close()
    whole = b"".join(pieces)
    once = take(path.with_name("once"), *([whole] if whole else []))
    kept = whole[: most + 1] if most else b""
    written = path.read_bytes() if whole else b""
    assert (output.tail(), output.size, output.sha256(), bytes(output.kept), written) == (
        once.tail(),
        len(whole),
        hashlib.sha256(whole).hexdigest(),
        kept,
        whole,
    )
