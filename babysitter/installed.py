"""Processes in installed packages, which name their folders by an entry point.

A package that has processes says so in its ``pyproject.toml``::

    [project.entry-points."babysitter.processes"]
    acme = "acme.processes"

The value is a package or a folder in one: that of one process (it has a ``process.py``), whose name is
the entry point's, or one of many, each in a folder by its name.

Nothing of a package is imported to be found, and no file of one is trusted further than its size:
whoever can write into a project can put anything into its ``.venv``. So the two files that count are
read here, and not by ``importlib.metadata``.
"""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

from babysitter.errors import BabysitterError
from babysitter.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP = "babysitter.processes"
ENVIRONMENT = ".venv"
INFO = ".dist-info"
# The largest that are seen have a few kilobytes.
MOST_BYTES = 1 << 18


class Offer(NamedTuple):
    """An entry point of an installed package.

    Attributes:
        name: of the entry point.
        package: name and version of the package, for people.
        folder: what it stands for; empty when there is none.
        fault: why there is none, a sentence about the package.
    """

    name: str
    package: str
    folder: str
    fault: str = ""


def offers(project: str) -> list[Offer]:
    """All of them: those beside babysitter first, then those in the project's own environment.

    Of a package that is there twice, as of a module, the first counts.
    """
    found: dict[str, list[Offer]] = {}
    # Beside babysitter a package may be anywhere that Python looks for modules.
    places = [*((site, sys.path) for site in sys.path), *((site, []) for site in _site_folders(project))]
    for site, elsewhere in places:
        for name in _packages(site):
            package = name.removesuffix(INFO).partition("-")[0]
            if package not in found:
                found[package] = list(_offers_of(site, name, elsewhere))
    return [offer for each in found.values() for offer in each]


def _site_folders(project: str) -> list[str]:
    """Where a virtual environment of the project has its packages."""
    library = os.path.join(project, ENVIRONMENT, "lib")
    return [os.path.join(library, name, "site-packages") for name in _names(library) if "python3." in name]


def _packages(site: str) -> list[str]:
    return [name for name in _names(site) if name.endswith(INFO)]


def _names(folder: str) -> list[str]:
    # Many entries of sys.path are none: a zip file, a folder that is not there.
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _offers_of(site: str, info: str, elsewhere: list[str]) -> Iterator[Offer]:
    name, _, version = info.removesuffix(INFO).partition("-")
    package = f"{name.replace('_', '-')} {version}".strip()
    try:
        text = _read(site, info, "entry_points.txt")
    except (BabysitterError, ValueError, OSError) as error:
        yield Offer("", package, "", f"the entry points of package {package} cannot be read: {error}")
        return
    for point, value in _points(text):
        folder = _folder_of(value, [site, *_sources(site, info), *elsewhere])
        fault = (
            "" if folder else f"package {package} names {value!r} as a folder of processes; it is not there"
        )
        yield Offer(point, package, folder, fault)


def _read(site: str, info: str, name: str) -> str:
    try:
        return read_regular(os.path.join(site, info, name), MOST_BYTES, follow=True).decode()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _points(text: str) -> Iterator[tuple[str, str]]:
    """Names and values in our section of an ``entry_points.txt``."""
    is_ours = False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            is_ours = line == f"[{GROUP}]"
        elif is_ours and "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            yield name.strip(), value.strip()


def _folder_of(value: str, roots: list[str]) -> str:
    """The folder that a value names as a module, below one of these; empty when there is none."""
    parts = value.split(".")
    if not all(part.isidentifier() for part in parts):
        return ""
    for root in roots:
        folder = os.path.join(root, *parts)
        if os.path.isdir(folder):
            return os.path.abspath(folder)
    return ""


def _sources(site: str, info: str) -> list[str]:
    """Where the source is of a package that is worked on there, as ``direct_url.json`` (PEP 610) says it."""
    import json
    from urllib.parse import unquote, urlsplit

    try:
        told = json.loads(_read(site, info, "direct_url.json") or "null")
        url = urlsplit(told["url"])
        is_editable = told["dir_info"]["editable"] is True and url.scheme == "file"
        root = unquote(url.path)
    except (BabysitterError, RecursionError, ValueError, TypeError, KeyError, AttributeError, OSError):
        # Whatever stands there is no place of a source.
        return []
    return [root, os.path.join(root, "src")] if is_editable else []
