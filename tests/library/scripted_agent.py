"""An agent command that does what a test tells it: it answers prompts from a table, and edits files."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING, Any

from small_projects import make_program

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import json, pathlib, sys
prompt = sys.stdin.read()
here = pathlib.Path(sys.argv[1])
for number, (part, turns) in enumerate(json.loads((here / "rules.json").read_text())):
    if part in prompt:
        asked = here / f"asked-{number}"
        with asked.open("a") as stream:
            stream.write("x")
        answer, edits = turns[min(asked.stat().st_size, len(turns)) - 1]
        for name, text in edits.items():
            pathlib.Path(name).write_text(text)
        print(json.dumps(answer))
        break
else:
    sys.exit(f"nobody has said what to answer to: {prompt}")
"""


def does(answer: Any, **edits: str) -> tuple[Any, dict[str, str]]:
    """An answer, and the files that are written before it: ``does("done", **{"a.py": "text"})``."""
    return answer, edits


def agent_command(folder: Path, rules: dict[str, list[tuple[Any, dict[str, str]]]]) -> list[str]:
    """The options of `run` for an agent that answers by the first rule whose text is in the prompt.

    Of its turns the first is for the first prompt that has the text, the last for all that come after.
    """
    folder.mkdir()
    (folder / "rules.json").write_text(json.dumps(list(rules.items())))
    (folder / "program.py").write_text(PROGRAM)
    words = [sys.executable, "-I", "-B", str(folder / "program.py"), str(folder)]
    make_program(folder / "agent", f"exec {shlex.join(words)}")
    return ["--agent-command", str(folder / "agent")]
