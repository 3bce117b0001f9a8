"""Text for terminals."""

from __future__ import annotations

import io
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from babysitter.views.text import (
    can_show_unicode,
    duration,
    encodable,
    has_word,
    pad,
    printable,
    printable_lines,
    shorten,
    terminal_width,
    whole_lines,
    width_of,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "word", "expected"),
    [
        ("Check the links of notes/guide.md", "notes/guide.md", True),
        ("Deploy api.", "api", True),
        ("Deploy 'api' now", "api", True),
        ("Deploy api-gateway, then api", "api", True),
        ("Deploy api-gateway", "api", False),
        ("Check notes/guide.md", "guide.md", False),
        ("Check a.py", "a", False),
        ("Do a thing in parallel", "all", False),
        ("Round 12", "1", False),
        ("Check it", "", False),
    ],
)
def test_a_word_is_found_as_a_whole(text: str, word: str, expected: bool) -> None:
    assert has_word(text, word) is expected


ANY_TEXT = st.text(st.characters())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("日本語 ✓ é", "日本語 ✓ é"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\x00\x7f\x9b", "\\x00\\x7f\\x9b"),
        ("abc\u202ecba", "abc\\u202ecba"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\u2066isolate\u2069", "\\u2066isolate\\u2069"),
        ("line\u2028end", "line\\u2028end"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("lone\ud800", "lone\\ud800"),
        ("no-break\u00a0space", "no-break\u00a0space"),
    ],
)
def test_what_a_terminal_could_act_on_is_spelled_out(text: str, expected: str) -> None:
    assert printable(text) == expected


@given(ANY_TEXT)
def test_printable_text_has_no_control_format_or_surrogate_character(text: str) -> None:
    assert not {unicodedata.category(char) for char in printable(text)} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(ANY_TEXT)
def test_printable_text_stays_as_it_is(text: str) -> None:
    assert printable(printable(text)) == printable(text)


def test_the_lines_of_an_output_lose_colours_and_keep_what_else_is_odd() -> None:
    assert printable_lines("\x1b[1;31mred\x1b[0m\n\x1b[2Jcleared\n") == ["red", "\\x1b[2Jcleared"]


def test_of_a_line_that_was_written_over_itself_the_last_state_is_kept() -> None:
    assert printable_lines("10 %\r50 %\r100 %\r\nnext") == ["100 %", "next"]


def test_of_what_somebody_decides_about_nothing_is_left_out() -> None:
    assert whole_lines("delete it\rkeep it\r\n\x1b[8mhidden\x1b[0m\n\tin\u202e\n\n") == [
        "delete it\\rkeep it",
        "\\x1b[8mhidden\\x1b[0m",
        "        in\\u202e",
        "",
    ]
    assert whole_lines("") == []


@pytest.mark.parametrize(("text", "width"), [("", 0), ("abc", 3), ("日本", 4), ("e\u0301", 1), ("✓", 1)])
def test_width_is_counted_in_columns(text: str, width: int) -> None:
    assert width_of(text) == width


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("short", 5, "short"),
        ("too long", 5, "too …"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        ("anything", 1, "…"),
        ("anything", 0, ""),
        ("anything", -1, ""),
    ],
)
def test_a_text_is_cut_where_its_columns_end(text: str, width: int, expected: str) -> None:
    assert shorten(text, width) == expected


@given(ANY_TEXT.map(printable), st.integers(0, 30), st.sampled_from(["…", "..."]))
def test_a_shortened_text_is_never_too_wide(text: str, width: int, ellipsis: str) -> None:
    assert width_of(shorten(text, width, ellipsis)) <= width


def test_padding_counts_columns_too() -> None:
    assert pad("日本", 6) == "日本  "


@pytest.mark.parametrize(
    ("ms", "expected"),
    [
        (-5, "0 ms"),
        (0, "0 ms"),
        (99, "99 ms"),
        (100, "0.1 s"),
        (4249, "4.2 s"),
        (59_949, "59.9 s"),
        (59_950, "1 m 00 s"),
        (63_000, "1 m 03 s"),
        (3_599_499, "59 m 59 s"),
        (3_599_500, "1 h 00 m"),
        (7_500_000, "2 h 05 m"),
        (86_400_000, "1 d 00 h"),
        (273_600_000, "3 d 04 h"),
    ],
)
def test_a_duration_is_told_in_two_units_at_most(ms: int, expected: str) -> None:
    assert duration(ms) == expected


@pytest.mark.parametrize(("encoding", "expected"), [("utf-8", True), ("UTF8", True), ("ascii", False)])
def test_marks_are_for_streams_that_can_say_them(
    encoding: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert can_show_unicode(io.TextIOWrapper(io.BytesIO(), encoding)) == expected


def test_the_console_of_linux_gets_ascii_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")
    assert not can_show_unicode(io.TextIOWrapper(io.BytesIO(), "utf-8"))


def test_what_a_stream_has_no_bytes_for_is_spelled_out() -> None:
    assert encodable("é ✓", io.TextIOWrapper(io.BytesIO(), "latin-1")) == "é \\u2713"


def test_a_file_has_no_width(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as stream:
        assert terminal_width(stream) is None
