"""Processes in installed packages, which name their folders by an entry point.

A package that has processes says so in its ``pyproject.toml``::

    [project.entry-points."babysitter.processes"]
    acme = "acme.processes"

The value is a package or a folder in one: that of one process (it has a ``process.py``), whose name is
the entry point's, or one of many, each in a folder by its name. Nothing of it is imported to be found.
"""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import Distribution, EntryPoint

GROUP = "babysitter.processes"
ENVIRONMENT = ".venv"


class Offer(NamedTuple):
    """An entry point of an installed package.

    Attributes:
        name: of the entry point.
        package: name and version of the package, for people.
        folder: what it stands for; empty when there is no such folder.
        told: its value as the package wrote it.
    """

    name: str
    package: str
    folder: str
    told: str


def offers(project: str) -> list[Offer]:
    """All of them: those beside babysitter first, then those in the project's own environment."""
    from importlib.metadata import distributions

    found: dict[tuple[str, str], Offer] = {}
    for path in (None, _site_folders(project)):
        if path == []:
            continue
        for package in distributions() if path is None else distributions(path=path):
            for offer in _offers_of(package, sys.path if path is None else path):
                found.setdefault((offer.name, offer.package), offer)
    return sorted(found.values())


def _site_folders(project: str) -> list[str]:
    """Where a virtual environment of the project has its packages."""
    from glob import escape, glob

    root = escape(os.path.join(project, ENVIRONMENT))
    return sorted(glob(os.path.join(root, "lib", "python3.*", "site-packages")))


def _offers_of(package: Distribution, path: list[str]) -> Iterator[Offer]:
    # Without any, which is what most packages have, not even its name is read.
    for point in package.entry_points:
        if point.group == GROUP:
            told = f"{package.metadata['Name']} {package.version}"
            yield Offer(point.name, told, _folder_of(point, package, path), point.value)


def _folder_of(point: EntryPoint, package: Distribution, path: list[str]) -> str:
    parts = point.value.partition(":")[0].strip().split(".")
    for root in (str(package.locate_file("")), *_sources(package), *path):
        folder = os.path.join(root, *parts)
        if os.path.isdir(folder):
            return os.path.abspath(folder)
    return ""


def _sources(package: Distribution) -> list[str]:
    """Where the source is of a package that is worked on there, as ``direct_url.json`` (PEP 610) says it."""
    import json
    from urllib.parse import unquote, urlsplit

    try:
        told = json.loads(package.read_text("direct_url.json") or "null")
        is_editable = told["dir_info"]["editable"] is True
        root = unquote(urlsplit(told["url"]).path)
    except (ValueError, TypeError, KeyError, AttributeError):
        return []
    return [root, os.path.join(root, "src")] if is_editable else []
