"""What makes two requests the same box of a drawing: they come from the same place in the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babysitter.testing.sites import Site, Sites, Stack

    Key = tuple[object, ...]


def key_of(site: Site) -> Key:
    """Of a request: the functions that wait for it, each with its line, and the task."""
    return (*site.stack, site.task.id)


def place_of(step: str, sites: Sites) -> Key:
    """Where a request comes from, with the groups that it is in: a shared piece may be used in several."""
    parts = step.split(".")
    paths = [".".join(parts[:end]) for end in range(1, len(parts), 2)]
    around = [sites.groups[path].stack for path in paths if path in sites.groups]
    return (*around, *key_of(sites.steps[step]))


def key_of_group(stack: Stack, mode: str) -> Key:
    """Of a group of branches."""
    return (*stack, f"parallel.{mode}")
