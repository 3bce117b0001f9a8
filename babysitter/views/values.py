"""JSON values for people: an outline, or a table where a list has the shape of one."""

from __future__ import annotations

from babysitter.jsontext import compact
from babysitter.views.text import pad, printable, printable_lines, shorten, width_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

INDENT = "  "
MOST_TABLE_COLUMNS = 8
MOST_CELL_COLUMNS = 40
MOST_LAST_COLUMNS = 120
GAP = "  "


def outline(value: Any, most: int | None = None) -> list[str]:
    """A value line by line; past ``most`` lines it says how many there are more."""
    lines = list(_outline(value))
    if most is None or len(lines) <= most:
        return lines
    return [*lines[:most], f"... {len(lines) - most} lines more"]


def _outline(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from printable_lines(value) or [""]
    elif not value or not isinstance(value, (dict, list)):
        yield compact(value)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _entry(f"{printable(name)}:", item)
    elif is_table(value):
        yield from _table_of(value)
    else:
        for item in value:
            yield from _entry("-", item)


def _entry(name: str, value: Any) -> Iterator[str]:
    lines = list(_outline(value))
    if len(lines) == 1 and not (value and isinstance(value, (dict, list))):
        yield f"{name} {lines[0]}".rstrip()
        return
    yield name
    for line in lines:
        yield INDENT + line


def is_table(value: list[Any]) -> bool:
    """Every item is an object with the same few keys and no nested values."""
    first = value[0]
    if not isinstance(first, dict) or not 0 < len(first) <= MOST_TABLE_COLUMNS:
        return False
    return all(
        isinstance(item, dict) and item.keys() == first.keys() and not any(map(_is_nested, item.values()))
        for item in value
    )


def _is_nested(value: Any) -> bool:
    return isinstance(value, (dict, list)) and bool(value)


def _table_of(value: list[dict[str, Any]]) -> list[str]:
    names = list(value[0])
    # Long texts stand last in most tables, and there they push nothing aside.
    most = [MOST_CELL_COLUMNS] * (len(names) - 1) + [MOST_LAST_COLUMNS]
    rows = [
        [shorten(cell(item[name]), width) for name, width in zip(names, most, strict=True)] for item in value
    ]
    numbers = {index for index, name in enumerate(names) if all(_is_number(item[name]) for item in value)}
    return table([printable(name) for name in names], rows, right=numbers)


def cell(value: Any) -> str:
    """A value in one line; of a longer text the first."""
    text = value if isinstance(value, str) else "" if value is None else compact(value)
    first, more, _ = text.strip().partition("\n")
    return printable(f"{first} ..." if more else first)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: set[int] | frozenset[int] = frozenset(),
    width: int | None = None,
) -> list[str]:
    """Columns as wide as what is in them; the last is cut where ``width`` ends.

    ``right`` are the columns that are flush right.
    """
    lines = [heads, *rows]
    widths = [max(width_of(line[index]) for line in lines) for index in range(len(heads))]
    return [_table_line(line, widths, right, width) for line in lines]


def _table_line(
    line: Sequence[str], widths: list[int], right: set[int] | frozenset[int], width: int | None
) -> str:
    cells = []
    for index, text in enumerate(line):
        gap = " " * (widths[index] - width_of(text))
        cells.append(gap + text if index in right else pad(text, widths[index]))
    told = GAP.join(cells).rstrip()
    return told if width is None else shorten(told, width)


def pairs(told: Iterable[tuple[str, Any]]) -> list[str]:
    """Names and values in two columns; what takes several lines is indented below its name."""
    listed = [(printable(name), value) for name, value in told]
    width = max((width_of(name) for name, value in listed), default=0)
    lines = []
    for name, value in listed:
        first, *rest = outline(value) or [""]
        if rest or _is_nested(value):
            lines += [name, *(INDENT + line for line in (first, *rest))]
        else:
            lines.append(f"{pad(name, width)}  {first}".rstrip())
    return lines
