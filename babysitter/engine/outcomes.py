"""What steps give back to an author: plain, small objects."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Record:
    """Shared by the classes here: equality and repr by their fields."""

    __slots__: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """How it is written where a JSON value is wanted: a process may return it, or hand it to a task."""
        return {_on_the_wire(name): getattr(self, name) for name in self.__slots__}

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            from babysitter.engine.old_ways import no_attribute

            raise no_attribute(type(self).__name__, name, _readable(type(self)))

        def __getitem__(self, key):
            from babysitter.engine.old_ways import no_item

            raise no_item(type(self).__name__, key, _readable(type(self)))

    def _fields(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        inside = ", ".join(
            f"{name}={value!r}" for name, value in zip(self.__slots__, self._fields(), strict=True)
        )
        return f"{type(self).__name__}({inside})"


def _readable(kind: type[Record]) -> list[str]:
    """What an author reads of an outcome: its fields, and what is computed from them."""
    return [name for name in dir(kind) if not name.startswith("_") and not callable(getattr(kind, name))]


def _on_the_wire(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


class Outcome(Record):
    """How one branch of ``parallel.settled`` ended: ``value`` when ``ok``, else ``error``."""

    __slots__ = ("error", "ok", "value")

    def __init__(self, ok: bool, value: Any = None, error: BaseException | None = None) -> None:
        self.ok = ok
        self.value = value
        self.error = error


class ShellResult(Record):
    """A command that ended.

    ``stdout`` and ``stderr`` are the last 8 KiB of each; the files in the
    effect's folder hold all of it. ``duration`` is in seconds.
    """

    __slots__ = ("duration", "exit_code", "stderr", "stdout")

    def __init__(self, exit_code: int, stdout: str, stderr: str, duration: float) -> None:
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr
        self.duration = duration

    @classmethod
    def read(cls, value: Any) -> ShellResult:
        """From the journalled form."""
        return cls(
            value["exitCode"],
            value.get("stdout", ""),
            value.get("stderr", ""),
            value.get("durationMs", 0) / 1000,
        )

    @property
    def ok(self) -> bool:
        """It exited with 0."""
        return self.exit_code == 0


class Decision(Record):
    """A person's answer to a breakpoint."""

    __slots__ = ("all_responses", "approved", "feedback", "option", "responded_by", "response")

    def __init__(
        self,
        approved: bool,
        *,
        response: str | None = None,
        feedback: str | None = None,
        option: str | None = None,
        responded_by: str | None = None,
        all_responses: list[Any] | None = None,
    ) -> None:
        self.approved = approved
        self.response = response
        self.feedback = feedback
        self.option = option
        self.responded_by = responded_by
        self.all_responses = all_responses or []

    @classmethod
    def read(cls, value: Any) -> Decision:
        """From the journalled form."""
        return cls(
            value["approved"],
            response=value.get("response"),
            feedback=value.get("feedback"),
            option=value.get("option"),
            responded_by=value.get("respondedBy"),
            all_responses=value.get("allResponses"),
        )
