"""What the text of a shell command does, as far as it can be seen without a shell: not far.

Quotes are dropped, not understood: `sh -c "rm x"` is as good as `rm x`.
"""

from __future__ import annotations

import os
from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Programs that write what they are given; `cp` writes the last.
REMOVING = frozenset({"rm", "rmdir", "unlink", "mv", "truncate"})
WRITING = frozenset({"ln", "tee", "touch", "dd", "chmod", "chown", "install", "rsync"}) | REMOVING
IN_PLACE = frozenset({"sed", "perl"})
COPY = "cp"
# What stands before a program that is called.
STARTERS = frozenset({"sudo", "env", "nohup", "setsid", "time", "timeout", "exec", "eval", "xargs", "script"})
INTERPRETERS = frozenset({"sh", "bash", "dash", "zsh", ".", "source", "python", "python3"})
WORDS = frozenset({"then", "else", "do", "if", "while", "until", "{", "!"})
CALLERS = STARTERS | INTERPRETERS | WORDS
# In the middle of a command, before another.
CALLING = frozenset({"-exec", "-execdir", "xargs"})
# They say where the commands behind them are, or what they are about.
MOVERS = frozenset({"cd", "pushd", "for"})
# To them the short one means something else.
READING = frozenset({"egrep", "fgrep", "find", "grep", "ps", "rg", "set"})
# Behind one of these stands a file that is written, whatever the program.
INTO = ("--output", "--write", "-o")
FREE = "/artifacts/"


def commands_of(text: str) -> list[list[str]]:
    """The words of each command, without quotes and without redirections that lead nowhere."""
    import re

    text = re.sub(r"[0-9&]?>>?\s*(&[0-9-]|/dev/(null|stdout|stderr)\b)", " ", text)
    # What is left of `>|`, `>&` and `&>` is no end of a command.
    text = re.sub(r"&?>[|&]?", ">", text)
    parts = re.split(r"[;&|()`\n]", re.sub(r"['\"\\\\]", "", text))
    return [words for part in parts if (words := part.split())]


def programs_of(words: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """Every program that a command calls, with all that stands behind it."""
    is_expected = True
    for number, word in enumerate(words):
        if is_expected and not _is_before_program(word):
            yield word, words[number + 1 :]
            is_expected = False
        is_expected = is_expected or word in CALLING


def _is_before_program(word: str) -> bool:
    return os.path.basename(word) in CALLERS or word.startswith("-") or "=" in word or word.isdecimal()


def writes_into(text: str, places: Sequence[str]) -> bool:
    """Whether a command writes into one of these folders, but for what is free in it."""
    is_there = False
    for words in commands_of(text):
        is_named = _name(words, places)
        if _redirects(words, places, is_there=is_there):
            return True
        for program, rest in programs_of(words):
            # Behind xargs stands what the command before it names, and where it is after `cd` no place.
            is_about = is_named or "xargs" in words or (is_there and any(_is_relative(word) for word in rest))
            if is_about and _writes(os.path.basename(program), rest, places, is_there=is_there):
                return True
        is_there = is_there or (is_named and (words[0] in MOVERS or "=" in words[0]))
    return False


def named_in(text: str, folder: str) -> set[str]:
    """The names, or patterns of names, that a command names of what is in a folder."""
    import re

    return set(re.findall(re.escape(folder) + r"/([^/\s'\"\\;&|()<>`]+)", text))


def _name(words: Sequence[str], places: Sequence[str]) -> bool:
    return any(place in word and (FREE not in word or "/.." in word) for word in words for place in places)


def _is_relative(word: str) -> bool:
    return not word.startswith(("/", "-"))


def _redirects(words: Sequence[str], places: Sequence[str], *, is_there: bool) -> bool:
    targets = " ".join(words).split(">")[1:]
    firsts = [target.split()[0] for target in targets if target.split()]
    return _name(firsts, places) or (is_there and any(_is_relative(first) for first in firsts))


def _outputs(rest: Sequence[str]) -> list[str]:
    """The files that a program is told to write."""
    behind = [word for before, word in pairwise(rest) if before in INTO]
    joined = [word.partition("=")[2] for word in rest if word.startswith(tuple(f"{name}=" for name in INTO))]
    return behind + joined


def _writes(program: str, rest: Sequence[str], places: Sequence[str], *, is_there: bool) -> bool:
    if program not in READING and _name(_outputs(rest), places):
        return True
    if program == COPY:
        return _name(rest[-1:], places) or (is_there and any(_is_relative(word) for word in rest[-1:]))
    if program in IN_PLACE:
        return any(word.startswith("--in-place") or _has_flag(word, "i") for word in rest)
    return program in WRITING or (program == "find" and "-delete" in rest)


def _has_flag(word: str, flag: str) -> bool:
    return word.startswith("-") and not word.startswith("--") and flag in word
