"""The journal against a list: whatever commands, kills and power cuts do, it is what the list is."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from babysitter.errors import CorruptEvent, HeadMoved
from babysitter.journal.events import Head, decode, encode, file_name
from babysitter.journal.store import Journal

RUN_ID = "run-1"
COMMANDS = st.integers(0, 2)
SIZES = st.sampled_from([1, 1, 2, 5, 17])
TIMES = st.integers(0, 3)  # few, so that events often have the same time

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


class Killed(BaseException):
    """The process is gone."""


class JournalMachine(RuleBasedStateMachine):
    """Three commands on one run.

    ``visible`` is what a reader must see, ``unflushed`` what of it a power cut may take.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp()
        for name in ("journal", "state"):
            os.mkdir(os.path.join(self.folder, name))
        self.visible: list[int] = []
        self.unflushed: list[str] = []
        self.count = 0
        self.commands = [self.new_command() for _ in range(3)]

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def new_command(self) -> tuple[Journal, list[int]]:
        journal, seen = Journal(self.folder, RUN_ID), list[int]()
        journal.load(lambda event: seen.append(event.data["n"]))
        return journal, seen

    def drafts(self, size: int) -> list[tuple[str, dict[str, Any]]]:
        self.count += size
        return [("NOTE", {"n": number}) for number in range(self.count - size, self.count)]

    @rule(command=COMMANDS)
    def start_again(self, command: int) -> None:
        self.commands[command] = self.new_command()

    @rule(command=COMMANDS)
    def read_on(self, command: int) -> None:
        journal, seen = self.commands[command]
        journal.read_since(lambda event: seen.append(event.data["n"]))
        assert seen == self.visible

    @rule(command=COMMANDS, size=SIZES, now=TIMES)
    def append(self, command: int, size: int, now: int) -> None:
        journal, seen = self.commands[command]
        drafts = self.drafts(size)
        try:
            events = journal.append(drafts, now)
        except HeadMoved:
            assert seen != self.visible
            return
        assert seen == self.visible
        numbers = [event.data["n"] for event in events]
        assert numbers == [data["n"] for _, data in drafts]
        seen.extend(numbers)
        self.visible += numbers
        self.unflushed = []

    @rule(command=COMMANDS, size=SIZES, now=TIMES, after=st.integers(0, 17))
    def append_and_die(self, command: int, size: int, now: int, after: int) -> None:
        """Killed when ``after`` events were linked, at the latest before the folder is flushed."""
        journal, _ = self.commands[command]
        drafts, linked = self.drafts(size), list[str]()
        real_link = os.link

        def link(source: str, name: str, **options: Any) -> None:
            if len(linked) == after:
                raise Killed
            real_link(source, name, **options)
            linked.append(name)
            if len(linked) == size:
                raise Killed

        first = journal.head.seq
        with mock.patch("os.link", link):
            try:
                journal.append(drafts, now)
            except (Killed, HeadMoved):
                pass
        if linked:
            assert first == len(self.visible)
            # What was there before has been flushed, so that nothing can stand behind a hole in it.
            self.unflushed = linked
            self.visible += [data["n"] for _, data in drafts[: len(linked)]]
        self.commands[command] = self.new_command()

    @rule(data=st.data())
    def cut_power(self, data: st.DataObject) -> None:
        lost = data.draw(st.sets(st.sampled_from(self.unflushed))) if self.unflushed else set()
        for name in lost:
            os.unlink(os.path.join(self.folder, "journal", name))
        if lost:
            kept = min(self.unflushed.index(name) for name in lost)
            self.visible = self.visible[: len(self.visible) - len(self.unflushed) + kept]
        self.unflushed = []
        self.commands = [self.new_command() for _ in range(3)]

    @rule(name=st.sampled_from(["events.jsonl", "head.json"]), size=st.integers(0, 2000))
    def tear_the_cache(self, name: str, size: int) -> None:
        path = os.path.join(self.folder, "state", name)
        if os.path.exists(path):
            os.truncate(path, min(size, os.path.getsize(path)))

    @rule()
    def delete_the_cache(self) -> None:
        shutil.rmtree(os.path.join(self.folder, "state"), ignore_errors=True)

    @invariant()
    def a_reader_sees_what_the_list_has(self) -> None:
        journal, seen = self.new_command()
        assert seen == self.visible
        assert journal.head.seq == len(seen)

    @invariant()
    def the_files_say_the_same(self) -> None:
        assert Journal(self.folder, RUN_ID).verify().seq == len(self.visible)


TestJournal = JournalMachine.TestCase
TestJournal.settings = settings(
    max_examples=40, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)


@given(st.dictionaries(st.text().filter(lambda key: key not in ("prev", "batch")), json_values, max_size=5))
def test_whatever_json_an_event_has_comes_back_the_same(data: dict[str, Any]) -> None:
    head = Head.genesis(RUN_ID)
    found = decode(encode(head, "NOTE", 0, data, None), head).data
    assert found.pop("prev") == head.checksum
    assert found == data


@given(st.data())
def test_no_change_of_a_few_bytes_goes_unnoticed(data: st.DataObject) -> None:
    head = Head.genesis(RUN_ID)
    raw = encode(head, "NOTE", 0, {"a": data.draw(json_values)}, None)
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, min(len(raw), start + 8)))
    changed = raw[:start] + data.draw(st.binary(max_size=8)) + raw[end:]
    if changed != raw:
        with pytest.raises(CorruptEvent):
            decode(changed, head)


@given(st.lists(st.integers(0, 999_998), unique=True), st.integers(0, 10**14))
def test_names_sort_as_their_numbers_do(numbers: list[int], ms: int) -> None:
    names = {seq: file_name(Head(seq, "ab" * 32, ms)) for seq in numbers}
    assert [names[seq] for seq in sorted(numbers)] == sorted(names.values())
