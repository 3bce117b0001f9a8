"""Parse every Python, JSON, TOML and YAML file of a project: ``python syntax.py FOLDER [PYTHON]``.

One process for all files, because starting one for each takes longer than parsing it. Nothing
is executed or written. It runs under the project's own Python, whose syntax is the one that
counts: it keeps to what 3.7 knows, and leaves TOML and YAML to the other PYTHON where it cannot parse them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings

from folders import is_sample, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ONLY = "--only="
LARGEST = 4_000_000
MOST_SHOWN = 50
KINDS = {".py": "Python", ".pyi": "Python", ".json": "JSON", ".toml": "TOML", ".yaml": "YAML", ".yml": "YAML"}
# These have comments although they are called .json.
WITH_COMMENTS = ("tsconfig", "jsconfig", "devcontainer", "turbo", "nx", "deno", "api-extractor")


def main(root: str, other: str = "") -> int:
    """Print a line for each file that cannot be parsed, and the counts; 1 when there is such a file."""
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # names can be odd
    warnings.simplefilter("ignore")  # an odd escape is for a linter to find
    counts, faults = parse_all(root, PARSERS)
    left = sorted(set(KINDS.values()) - set(PARSERS))
    if left and other:
        more, found = parse_elsewhere(other, root, left)
        counts.update(more)
        faults += found
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items()) or "none"
    ending = f"{len(faults)} files cannot be parsed, of {told}" if faults else f"files parsed: {told}"
    sys.stdout.write("\n".join([*faults[:MOST_SHOWN], ending]) + "\n")
    return 1 if faults else 0


def parse_all(root: str, kinds: Iterable[str]) -> tuple[dict[str, int], list[str]]:
    """How many files there are of each of these kinds, and a line for each that cannot be parsed."""
    counts: dict[str, int] = {}
    faults = []
    for path in walk(root):
        kind = kind_of(path)
        if kind not in kinds or is_sample(path):
            continue
        counts[kind] = counts.get(kind, 0) + 1
        fault = examine(os.path.join(root, path), PARSERS[kind])
        if fault:
            faults.append(f"{path}:{fault}")
    return counts, faults


def parse_elsewhere(python: str, root: str, kinds: list[str]) -> tuple[dict[str, int], list[str]]:
    """The same, by another Python, which has the parsers that this one lacks."""
    command = [python, "-B", "-E", "-s", os.path.abspath(__file__), root, ONLY + ",".join(kinds)]
    counts, faults = json.loads(subprocess.check_output(command))
    return counts, faults


def kind_of(path: str) -> str:
    """Python, JSON, TOML or YAML; empty for what is not to be parsed."""
    name = os.path.basename(path)
    kind = KINDS.get(os.path.splitext(name)[1], "")
    return "" if kind == "JSON" and name.startswith(WITH_COMMENTS) else kind


def examine(path: str, parse: Callable[[bytes, str], None]) -> str | None:
    """``LINE: message`` when a file cannot be parsed, else None."""
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > LARGEST:
            return None
        with open(path, "rb") as file:
            parse(file.read(), path)
    except OSError as error:
        return f"1: cannot be read: {error.strerror}"
    except (RecursionError, MemoryError):
        return None  # too deep for this parser is not the same as wrong
    except Exception as error:
        return f"{line_of(error)}: {message_of(error)}"
    return None


def line_of(error: Exception) -> int:
    """The line at which a parser gave up."""
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark else getattr(error, "lineno", None) or 1


def message_of(error: Exception) -> str:
    told = getattr(error, "msg", None) or getattr(error, "problem", None) or str(error)
    return f"{type(error).__name__}: {str(told).strip().splitlines()[0]}"


def parse_python(content: bytes, path: str) -> None:
    compile(content, path, "exec", dont_inherit=True)


def parse_json(content: bytes, path: str) -> None:
    text = content.decode("utf-8-sig")
    if text.strip():
        json.loads(text)


def parse_toml(content: bytes, path: str) -> None:
    tomllib.loads(content.decode("utf-8"))


def parse_yaml(content: bytes, path: str) -> None:
    if b"{{" in content or b"{%" in content:
        return  # a template: it becomes YAML later
    for _ in yaml.parse(content):
        pass  # events only: an unknown tag is no error, and no object is made


PARSERS: dict[str, Callable[[bytes, str], None]] = {"Python": parse_python, "JSON": parse_json}
try:
    import tomllib
except ImportError:
    pass
else:
    PARSERS["TOML"] = parse_toml
try:
    import yaml
except ImportError:
    pass
else:
    PARSERS["YAML"] = parse_yaml


if __name__ == "__main__":
    if sys.argv[-1].startswith(ONLY):
        json.dump(parse_all(sys.argv[1], sys.argv[2][len(ONLY) :].split(",")), sys.stdout)
    else:
        sys.exit(main(*sys.argv[1:]))
