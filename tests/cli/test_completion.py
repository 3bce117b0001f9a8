"""Shell completion, asked for as bash asks for it."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import BABYSITTER, told

if TYPE_CHECKING:
    from scenes import Scene

# What readline does when TAB is pressed: find the function, set the words, call it, read the answers.
SCRIPT = """
PATH={folder}:$PATH
eval "$(_BABYSITTER_COMPLETE=bash_source babysitter)"
COMP_WORDS=({words}) COMP_CWORD={at}
found=$(complete -p babysitter)
function=${{found##*-F }}
compopt() {{ :; }}
"${{function%% *}}" babysitter
printf '%s\\n' "${{COMPREPLY[@]}}"
"""

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")


def completions(line: str) -> list[str]:
    """What TAB at the end of a line offers."""
    words = line.split(" ")
    quoted = " ".join(f"'{word}'" for word in words)
    script = SCRIPT.format(folder=BABYSITTER.parent, words=quoted, at=len(words) - 1)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return [word for word in done.stdout.split("\n") if word]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("babysitter st", ["status"]),
        ("babysitter re", ["resume", "reject", "repair", "rewind", "replay", "restore"]),
        ("babysitter process ", ["check", "graph", "link", "list", "new", "show", "test", "try"]),
        ("babysitter status ma", ["many"]),
        ("babysitter status la", ["latest"]),
        ("babysitter resume do", ["done"]),
        ("babysitter post sta", []),
        ("babysitter run qual", ["quality-checks"]),
        ("babysitter create batch", ["batch-files"]),
        ("babysitter create man", ["many.py"]),
        ("babysitter process show deploy", ["deploy-services"]),
        ("babysitter status --js", ["--json"]),
        ("babysitter nonsense x", []),
        ("babysitter archive do", ["done"]),
        ("babysitter cleanup fai", ["failed"]),
    ],
)
def test_words_are_completed(scene: Scene, line: str, offered: list[str]) -> None:
    assert completions(line) == offered


def test_effects_of_the_run_are_completed(scene: Scene) -> None:
    effect = scene.id_of("review")
    assert completions(f"babysitter post review {effect[:3]}") == [effect]


def test_packed_runs_are_completed_where_they_are_of_use(scene: Scene) -> None:
    told("archive", "done")
    lines = ["babysitter restore ", "babysitter show do", "babysitter resume do"]
    assert [completions(line) for line in lines] == [["done"], ["done"], []]


@pytest.mark.parametrize(
    "line", ["babysitter post nobody ", "babysitter show nobody x", "babysitter post ../x "]
)
def test_a_run_that_there_is_not_completes_nothing(scene: Scene, line: str) -> None:
    assert completions(line) == []


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_script_too(shell: str) -> None:
    script = f"PATH={BABYSITTER.parent}:$PATH; _BABYSITTER_COMPLETE={shell}_source babysitter"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, "babysitter" in done.stdout, done.stderr) == (0, True, "")
