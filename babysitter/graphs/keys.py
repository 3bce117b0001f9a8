"""What makes two requests the same box of a drawing: they come from the same place in the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babysitter.testing.sites import Site, Stack

    Key = tuple[object, ...]


def key_of(site: Site) -> Key:
    """Of a request: the functions that wait for it, each with its line, and the task."""
    return (*site.stack, site.task.id)


def key_of_group(stack: Stack, mode: str) -> Key:
    """Of a group of branches."""
    return (*stack, f"parallel.{mode}")
