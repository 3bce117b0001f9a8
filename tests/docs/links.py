"""The links of a document: what they name, and whether it is there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
HEADING = re.compile(r"^#{1,6} +(.+?)(?: +#+)?$", re.MULTILINE)
FENCED = re.compile(r"^( *)(```|~~~).*?^\1\2[ \t]*$", re.DOTALL | re.MULTILINE)
IN_LINE = re.compile(r"(`+)(?:(?!`).)+\1")
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def prose_of(document: Path) -> str:
    """Its text without the blocks of code, in which nothing is a link and nothing a heading."""
    return FENCED.sub("", document.read_text("utf-8"))


def links_of(document: Path) -> list[str]:
    """What its links and pictures name, as it is written; not what is elsewhere in the world."""
    return named_in(prose_of(document))


def named_in(prose: str) -> list[str]:
    """What the links of a text name."""
    return [each for each in LINK.findall(IN_LINE.sub("", prose)) if not ELSEWHERE.match(each)]


def anchors_of(document: Path) -> set[str]:
    """The names of its headings, as GitHub makes them."""
    found: dict[str, int] = {}
    for heading in HEADING.findall(prose_of(document)):
        # Of a link in a heading only its text counts.
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        found[name] = found.get(name, -1) + 1
    return {
        name if not count else f"{name}-{count}" for name, last in found.items() for count in range(last + 1)
    }


def fault_of(document: Path, link: str, root: Path) -> str | None:
    """Why a link leads nowhere; None when it leads somewhere."""
    name, _, anchor = link.partition("#")
    target = (document.parent / name).resolve() if name else document
    if not target.is_relative_to(root):
        return "leads out of the project"
    if not target.exists():
        return "there is no such file"
    if anchor and anchor not in anchors_of(target):
        return "there is no such heading"
    return None


def targets_of(document: Path) -> set[Path]:
    """The files that it links to."""
    return {
        (document.parent / link.partition("#")[0]).resolve() for link in links_of(document) if link[0] != "#"
    }
