"""Which session a command is called in: what the host says counts, and only without that our own variable."""

from __future__ import annotations

import pytest

from babysitter.hosts import session_of


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"CLAUDECODE": "1"}, None),
        ({"CLAUDE_CODE_SESSION_ID": "a"}, ("claude-code", "a")),
        ({"CLAUDE_CODE_SESSION_ID": "a", "BABYSITTER_SESSION_ID": "b"}, ("claude-code", "a")),
        ({"BABYSITTER_SESSION_ID": "b"}, ("claude-code", "b")),
    ],
)
def test_a_session_is_named_by_its_host(environ: dict[str, str], expected: tuple[str, str] | None) -> None:
    assert session_of(environ) == expected
