"""The file with the user's rules: kept whole, changed by one at a time, not taken for empty if it is not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.errors import Conflict, CorruptRules, InvalidInput, StorageError
from babysitter.paths import has_rules
from babysitter.rulebook import add, load, named, remove, stamp
from babysitter.rules import Rule

if TYPE_CHECKING:
    from pathlib import Path


def names() -> list[str]:
    return [rule.name for rule in load()]


def test_without_a_file_there_are_no_rules() -> None:
    assert (load(), has_rules(), stamp()) == ([], False, None)


def test_rules_are_kept_in_the_order_in_which_they_were_added(home: Path) -> None:
    added = [add(Rule(name, "never")) for name in ("b", "a", "c")]
    assert (added, names(), has_rules()) == ([True] * 3, ["b", "a", "c"], True)


def test_the_file_is_the_users_alone(home: Path) -> None:
    add(Rule("a", "never"))
    assert os.stat(home / "rules.json").st_mode & 0o777 == 0o600


def test_a_rule_that_is_there_is_not_added_twice() -> None:
    assert ([add(Rule("a", "never")) for _ in range(2)], names()) == ([True, False], ["a"])


def test_another_rule_of_the_same_name_is_refused() -> None:
    add(Rule("a", "never"))
    with pytest.raises(Conflict, match="another rule is called 'a'"):
        add(Rule("a", "never", tags=["x"]))
    assert [rule.tags for rule in load()] == [[]]


def test_a_rule_is_removed_by_its_name() -> None:
    for name in ("a", "b"):
        add(Rule(name, "never"))
    assert (remove("a").name, names()) == ("a", ["b"])
    with pytest.raises(InvalidInput, match="there is no rule 'a'"):
        remove("a")


def test_a_rule_is_found_by_its_name() -> None:
    add(Rule("a", "never"))
    assert named(load(), "a").verdict == "never"


def test_each_change_shows_in_the_stamp() -> None:
    stamps = []
    for number in range(3):
        add(Rule(f"r{number}", "never"))
        stamps.append(stamp())
    remove("r0")
    assert len({*stamps, stamp()}) == 4


def test_nothing_is_left_beside_the_file(home: Path) -> None:
    add(Rule("a", "never"))
    assert sorted(os.listdir(home)) == ["rules.json", "rules.lock"]


def test_a_home_that_is_a_link_is_as_good(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "way").symlink_to(home)
    monkeypatch.setenv("BABYSITTER_HOME", str(tmp_path / "way"))
    add(Rule("a", "never"))
    assert (names(), (home / "rules.json").exists()) == (["a"], True)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "the JSON is empty"),
        ("{", "the JSON is not valid"),
        ("[]", "it is not {'rules': […]}"),
        ('{"rules": {}}', "it is not {'rules': […]}"),
        ('{"rules": [], "more": 1}', "it is not {'rules': […]}"),
        ('{"rules": [{"name": "a"}]}', "a rule has a 'name' and a 'verdict'"),
        ('{"rules": [{"name": "a", "verdict": "never", "verdict": "always"}]}', "'verdict' twice"),
        ('{"rules": [{"name": "a", "verdict": "never"}, {"name": "a", "verdict": "always"}]}', "called 'a'"),
    ],
)
def test_what_cannot_be_read_is_never_taken_for_no_rules(home: Path, content: str, why: str) -> None:
    (home / "rules.json").write_text(content)
    with pytest.raises(CorruptRules) as caught:
        load()
    assert (str(home / "rules.json") in caught.value.message, why in caught.value.message) == (True, True)
    assert "mend the file" in caught.value.hint


@pytest.mark.parametrize("change", [lambda: add(Rule("a", "never")), lambda: remove("a")])
def test_a_file_that_cannot_be_read_is_not_written_over(home: Path, change: Any) -> None:
    (home / "rules.json").write_text("{")
    with pytest.raises(CorruptRules):
        change()
    assert (home / "rules.json").read_text() == "{"


def test_a_link_in_the_place_of_the_file_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text('{"rules": []}')
    (home / "rules.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CorruptRules, match="not a regular file"):
        load()


def test_a_link_that_leads_nowhere_is_not_taken_for_no_rules(home: Path) -> None:
    (home / "rules.json").symlink_to(home / "nowhere")
    assert has_rules()
    with pytest.raises(CorruptRules):
        load()


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_looked_into_is_not_taken_for_no_rules(home: Path) -> None:
    home.chmod(0)
    try:
        assert (has_rules(), stamp()) == (True, (0, 0, 0))
        with pytest.raises(StorageError):
            load()
    finally:
        home.chmod(0o700)
