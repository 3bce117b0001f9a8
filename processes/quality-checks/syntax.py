"""Parse every Python, JSON, TOML and YAML file of a project: ``python syntax.py FOLDER``.

One process for all files, because starting one for each takes longer than parsing it. Nothing
is executed or written. It runs under the project's own Python, whose syntax is the one that
counts: it keeps to what 3.7 knows, and leaves out TOML and YAML where that Python cannot parse them.
"""

from __future__ import annotations

import json
import os
import sys
import warnings

from folders import is_sample, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST = 4_000_000
MOST_SHOWN = 50
KINDS = {".py": "Python", ".pyi": "Python", ".json": "JSON", ".toml": "TOML", ".yaml": "YAML", ".yml": "YAML"}
# These have comments although they are called .json.
WITH_COMMENTS = ("tsconfig", "jsconfig", "devcontainer", "turbo", "nx", "deno", "api-extractor")


def main(root: str) -> int:
    """Print a line for each file that cannot be parsed, and the counts; 1 when there is such a file."""
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # names can be odd
    warnings.simplefilter("ignore")  # an odd escape is for a linter to find
    counts: dict[str, int] = {}
    faults = []
    for path in walk(root):
        kind = kind_of(path)
        if kind is None or is_sample(path):
            continue
        counts[kind] = counts.get(kind, 0) + 1
        fault = examine(os.path.join(root, path), PARSERS[kind])
        if fault:
            faults.append(f"{path}:{fault}")
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items()) or "none"
    ending = f"{len(faults)} files cannot be parsed, of {told}" if faults else f"files parsed: {told}"
    sys.stdout.write("\n".join([*faults[:MOST_SHOWN], ending]) + "\n")
    return 1 if faults else 0


def kind_of(path: str) -> str | None:
    """Python, JSON, TOML or YAML; None for what is not to be parsed, or cannot be by this Python."""
    name = os.path.basename(path)
    kind = KINDS.get(os.path.splitext(name)[1])
    if kind not in PARSERS or (kind == "JSON" and name.startswith(WITH_COMMENTS)):
        return None
    return kind


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


PARSERS: dict[str | None, Callable[[bytes, str], None]] = {"Python": parse_python, "JSON": parse_json}
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
    sys.exit(main(sys.argv[1]))
