"""The file with the user's rules: one for all projects, the user's own; no repository brings any.

What cannot be read in it is an error, never "no rules": one that says *never* may be what is lost.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from babysitter.disk import PRIVATE_FILE, Folder, refuse
from babysitter.errors import Conflict, CorruptRules, InvalidInput, UnsafePath
from babysitter.files import read_regular, write_once
from babysitter.jsontext import compact, parse_strict
from babysitter.limits import DEFAULT
from babysitter.paths import has_rules, home, rules_file
from babysitter.rule_faults import note
from babysitter.rules import Rule, read_rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LOCK = "rules.lock"
MOST_BYTES = 1 << 20
HINT = "mend the file; or remove it, and add the rules anew that you want: babysitter rule add"
_OPEN_LOCK = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK


def stamp() -> tuple[int, int, int] | None:
    """Changes whenever the rules do; None: there are none."""
    try:
        found = os.lstat(rules_file())
    except OSError:
        return (0, 0, 0) if has_rules() else None
    return found.st_mtime_ns, found.st_ino, found.st_size


def load() -> list[Rule]:
    """The user's rules, in their order.

    Raises:
        CorruptRules: they cannot be read; nothing is answered without asking then.
        StorageError
    """
    path = rules_file()
    try:
        told = parse_strict(read_regular(path, MOST_BYTES, is_own=True), limits=DEFAULT)
        if not isinstance(told, dict) or list(told) != ["rules"] or not isinstance(told["rules"], list):
            raise InvalidInput("it is not {'rules': […]}")
        found = [read_rule(each) for each in told["rules"]]
        _check_names([rule.name for rule in found])
    except FileNotFoundError:
        return []
    except (InvalidInput, UnsafePath) as error:
        raise CorruptRules(f"the rules in {path!r} cannot be read: {error.message}", hint=HINT) from None
    return found


def load_if_readable() -> list[Rule] | None:
    """The same; None where whoever calls has said that rules that cannot be read answer nothing.

    Raises:
        CorruptRules, StorageError
    """
    try:
        return load()
    except CorruptRules as error:
        note(error)
        return None


def _check_names(names: Sequence[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInput(f"two rules are called {twice!r}")


def add(rule: Rule) -> bool:
    """Put a rule behind the others; False: it is there already. Durable when this returns.

    Raises:
        Conflict: another rule has its name.
        CorruptRules, UnsafePath, StorageError
    """
    with _alone() as folder:
        rules = load()
        known = next((each for each in rules if each.name == rule.name), None)
        if known is not None and known.text != rule.text:
            raise Conflict(
                f"another rule is called {rule.name!r}",
                hint=f"choose another --name, or remove that one first: babysitter rule remove {rule.name}",
            )
        if known is None:
            _write(folder, [*rules, rule])
    return known is None


def remove(name: str) -> Rule:
    """Take a rule away, and give it. Durable when this returns.

    Raises:
        InvalidInput: there is none of this name.
        CorruptRules, UnsafePath, StorageError
    """
    with _alone() as folder:
        rules = load()
        rule = named(rules, name)
        _write(folder, [each for each in rules if each is not rule])
    return rule


def named(rules: Sequence[Rule], name: str) -> Rule:
    """The rule of this name.

    Raises:
        InvalidInput: there is none.
    """
    found = next((rule for rule in rules if rule.name == name), None)
    if found is None:
        raise InvalidInput(f"there is no rule {name!r}", hint="babysitter rule list")
    return found


@contextmanager
def _alone() -> Iterator[Folder]:
    """The user's folder, in which nobody else changes the rules meanwhile."""
    import fcntl

    # A user may keep it elsewhere, by a link.
    path = os.path.realpath(home())
    os.makedirs(path, mode=0o700, exist_ok=True)
    with Folder(path) as folder:
        try:
            fd = os.open(LOCK, _OPEN_LOCK, PRIVATE_FILE, dir_fd=folder.fd)
        except OSError as error:
            refuse(error, os.path.join(path, LOCK), "opened")
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield folder
        finally:
            # Closing gives it back; so does a kill.
            os.close(fd)


def _write(folder: Folder, rules: Sequence[Rule]) -> None:
    """Put them in place of those that are there: readers, and a power cut, leave the old ones or these."""
    name = os.path.basename(rules_file())
    temporary = os.path.join(folder.path, f"{name}.{os.urandom(6).hex()}.tmp")
    write_once(temporary, compact({"rules": [rule.as_json() for rule in rules]}).encode() + b"\n")
    try:
        os.rename(temporary, os.path.join(folder.path, name))
    except OSError as error:
        os.unlink(temporary)
        refuse(error, rules_file(), "written")
    folder.sync()
