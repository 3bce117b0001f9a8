"""Every link of the documents leads somewhere, and every page can be found from the index."""

from __future__ import annotations

from pathlib import Path

import pytest
from links import anchors_of, fault_of, links_of, named_in, prose_of, targets_of

ROOT = Path(__file__).parents[2]
INDEX = ROOT / "docs" / "README.md"
# It is made by scripts/reference.
REFERENCE = ROOT / "docs" / "reference.md"
PAGES = sorted((ROOT / "docs").glob("*.md"))
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *PAGES,
    *sorted(ROOT.glob("skills/*/*.md")),
    *sorted(ROOT.glob("processes/*/*.md")),
]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_the_links_of_a_document_lead_somewhere(document: Path) -> None:
    faults = {link: fault_of(document, link, ROOT) for link in links_of(document)}
    assert {link: fault for link, fault in faults.items() if fault} == {}


def test_every_page_is_in_the_index() -> None:
    assert {name_of(page) for page in {*PAGES} - {INDEX} - targets_of(INDEX)} == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_begins_with_what_it_is_about(page: Path) -> None:
    title, empty, first, *_ = prose_of(page).splitlines()
    assert (title[:2], empty) == ("# ", "")
    assert first[0].isalpha()


@pytest.mark.parametrize("page", sorted({*PAGES} - {INDEX, REFERENCE}), ids=name_of)
def test_a_page_ends_with_what_comes_next(page: Path) -> None:
    _, heading, last = page.read_text("utf-8").rpartition("\n## Next\n")
    assert heading
    assert "\n## " not in last
    assert named_in(last)


def test_every_picture_is_shown() -> None:
    shown = set[Path]().union(*(targets_of(document) for document in DOCUMENTS))
    assert set((ROOT / "docs" / "pictures").glob("*.svg")) <= shown


# The machinery itself: a link that leads nowhere is found.


def document_of(folder: Path, text: str) -> Path:
    (folder / "docs").mkdir()
    (folder / "docs" / "other.md").write_text(
        "# Other\n\n## `take`, and the *rest*\n\n## Twice\n\n## Twice\n"
    )
    document = folder / "docs" / "doc.md"
    document.write_text(text)
    return document


@pytest.mark.parametrize(
    ("link", "fault"),
    [
        ("other.md", None),
        ("other.md#take-and-the-rest", None),
        ("other.md#twice-1", None),
        ("#a-heading", None),
        ("../docs/", None),
        ("others.md", "there is no such file"),
        ("other.md#take", "there is no such heading"),
        ("other.md#twice-2", "there is no such heading"),
        ("#in-code", "there is no such heading"),
        ("../../elsewhere.md", "leads out of the project"),
    ],
)
def test_a_link_that_leads_nowhere_is_found(link: str, fault: str | None, tmp_path: Path) -> None:
    text = f"# A heading\n\nSee [it]({link}).\n\n```sh\n# In code\n```\n"
    document = document_of(tmp_path.resolve(), text)
    assert [fault_of(document, each, tmp_path.resolve()) for each in links_of(document)] == [fault]


def test_links_are_those_of_the_prose(tmp_path: Path) -> None:
    text = '# T\n\n[a](b.md) ![c](d.svg "e") [w](https://w) `x[0](y)` [f\n g](h.md#i)\n'
    text += "\n```python\na[0](b)\n```\n"
    assert links_of(document_of(tmp_path, text)) == ["b.md", "d.svg", "h.md#i"]


def test_a_heading_is_named_as_on_github(tmp_path: Path) -> None:
    text = "# run, resume\n\n## What `check` finds\n\n### A [link](b.md), it's_one!\n"
    assert anchors_of(document_of(tmp_path, text)) == {"run-resume", "what-check-finds", "a-link-its_one"}
