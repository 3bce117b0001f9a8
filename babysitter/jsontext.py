"""JSON as text: the compact form, the canonical form, and strict reading.

The C encoder and scanner are taken from ``_json`` directly: the ``json``
package imports ``re`` and ``enum``, which costs more than the rest of a
short command. Where ``_json`` is missing, and for the wording of syntax
errors, the package does the same work more slowly.
"""

from __future__ import annotations

from babysitter.errors import InvalidInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn, Protocol

    class ParseLimits(Protocol):
        """How large and how deep a value from outside may be, and how much it may hold."""

        @property
        def result_bytes(self) -> int: ...
        @property
        def memory_bytes(self) -> int: ...
        @property
        def keys(self) -> int: ...
        @property
        def depth(self) -> int: ...


try:
    import _json
except ImportError:  # an interpreter without the C accelerator
    _json = None  # type: ignore[assignment]

# Below the 4300 at which Python itself refuses to write or read one, so that
# what was accepted once can always be written again.
MAX_DIGITS = 4000

_WHITESPACE = " \t\r\n"
_CONTAINERS = (dict, list, tuple)


def _as_json(value: object) -> Any:
    """What the encoder asks for when it does not know a value: a small object of ours says it itself."""
    try:
        say = value.as_json  # type: ignore[attr-defined]
    except AttributeError:
        raise TypeError(type(value).__name__) from None
    return say()


def _encoder(sort_keys: bool) -> Callable[[Any], str]:
    """The fastest encoder there is for the compact form."""
    if _json is None:
        import json

        return json.JSONEncoder(
            ensure_ascii=False,
            check_circular=False,
            allow_nan=False,
            sort_keys=sort_keys,
            separators=(",", ":"),
            default=_as_json,
        ).encode
    # markers=None: a value that contains itself ends in RecursionError instead
    # of being tracked at every level, which would cost time for each container.
    chunks = _json.make_encoder(
        None, _as_json, _json.encode_basestring, None, ":", ",", sort_keys, False, False
    )
    return lambda value: "".join(chunks(value, 0))


_compact = _encoder(sort_keys=False)
_sorted = _encoder(sort_keys=True)


def compact(value: Any) -> str:
    """Give ``value`` as one line of JSON, keys in their own order.

    Tuples become lists and number keys become text, as JSON has it.

    Raises:
        TypeError, ValueError: the value is not JSON; says what and where.
    """
    try:
        text = _compact(value)
        if not text.isascii():
            text.encode()
        return text
    except (TypeError, ValueError, RecursionError):
        raise _fault(value, text_keys=False) from None


def canonical(value: Any) -> str:
    """Give the one text that stands for ``value``: compact, keys sorted.

    Equal values have equal texts, whatever the order of their keys; tuples
    count as lists. Keys must be text: ``{1: ...}`` and ``{"1": ...}`` would
    otherwise be told apart here and be the same on disk.

    Raises:
        TypeError, ValueError: the value is not JSON; says what and where.
    """
    try:
        if _keys_are_text(value):
            text = _sorted(value)
            if not text.isascii():
                text.encode()
            return text
    except (TypeError, ValueError, RecursionError):
        pass
    raise _fault(value, text_keys=True)


def _keys_are_text(value: Any) -> bool:
    # The C encoder turns number keys into text without asking.
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                return False
            if isinstance(item, _CONTAINERS) and not _keys_are_text(item):
                return False
    elif isinstance(value, (list, tuple)):
        for item in value:
            if isinstance(item, _CONTAINERS) and not _keys_are_text(item):
                return False
    return True


def _fault(value: Any, *, text_keys: bool) -> TypeError | ValueError:
    from babysitter.jsonfaults import first_fault

    return first_fault(value, text_keys=text_keys)


class _Syntax:
    """What the C scanner wants to be told: how to make each kind of value."""

    strict = True
    object_hook = None

    def __init__(
        self,
        parse_float: Callable[[str], Any] = float,
        parse_int: Callable[[str], Any] = int,
        object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None,
    ) -> None:
        self.parse_float = parse_float
        self.parse_int = parse_int
        self.object_pairs_hook = object_pairs_hook
        self.scan: Callable[[str, int], tuple[Any, int]] | None = None
        if _json is not None:
            self.scan = _json.make_scanner(self)  # type: ignore[arg-type]  # the stub wants a scanner to make one

    @staticmethod
    def parse_constant(name: str) -> NoReturn:
        raise InvalidInput(
            f"the JSON holds {name!r}, which is not JSON", hint="use null, or a number that is finite"
        )

    def parse(self, text: str) -> Any:
        """Give the one value in ``text``; ValueError says where it is not JSON."""
        if self.scan is not None:
            try:
                value, end = self.scan(text, 0)
                if end == len(text) or not text[end:].strip(_WHITESPACE):
                    return value
            # SystemError: the scanner finds no class for its syntax errors as
            # long as nobody has imported ``json.decoder``.
            except (StopIteration, ValueError, SystemError):
                pass
        return self._parse_with_words(text)

    def _parse_with_words(self, text: str) -> Any:
        import json

        return json.JSONDecoder(
            parse_float=self.parse_float,
            parse_int=self.parse_int,
            parse_constant=self.parse_constant,
            object_pairs_hook=self.object_pairs_hook,
        ).decode(text)


def _finite(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise InvalidInput(f"the JSON holds the number {_cut(text)!r}, which is too large for a float")
    return number


def _bounded(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise InvalidInput(
            f"the JSON holds an integer of {len(text)} characters, at most {MAX_DIGITS} are read"
        )
    return int(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidInput(f"the JSON holds the key {_cut(_first_twice(pairs))!r} twice in one object")
    return found


def _first_twice(pairs: list[tuple[str, Any]]) -> str:
    seen = set()
    for name, _ in pairs:
        if name in seen:
            break
        seen.add(name)
    return name


def _cut(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


_plain = _Syntax()
_strict = _Syntax(_finite, _bounded, _unique)


def loads(raw: bytes | str) -> Any:
    """Read JSON that babysitter wrote itself and that a checksum vouches for.

    Raises:
        ValueError, RecursionError, InvalidInput: it is not JSON after all.
    """
    return _plain.parse(raw.decode() if isinstance(raw, bytes) else raw)


def parse_strict(raw: bytes | str, *, limits: ParseLimits) -> Any:
    """Read one JSON value that somebody else wrote.

    What comes back can always be written again, and means the same to every
    reader: no NaN or Infinity (also not as 1e999), no key twice, no lone
    surrogate, UTF-8 without a byte order mark, one value and nothing after
    it, within ``limits``.

    Raises:
        InvalidInput: says which of these it breaks.
    """
    text = _text(raw, limits.result_bytes)
    # The text and the value are large enough together.
    del raw
    if is_large(text, limits):
        from babysitter.jsonsize import check_size

        check_size(text, limits)
    try:
        value = _strict.parse(text)
    except RecursionError:
        raise _too_deep(limits.depth) from None
    except ValueError as error:
        raise InvalidInput(f"the JSON is not valid: {_without_stop(str(error))}") from None
    has_surrogates = "\\ud" in text or "\\uD" in text
    del text
    if is_deeper_than(value, limits.depth):
        raise _too_deep(limits.depth)
    if has_surrogates:
        _check_surrogates(value)
    return value


def is_large(text: str, limits: ParseLimits) -> bool:
    """Whether it is worth counting what is in the text: a small one cannot hold too much."""
    # The most that a character can stand for in memory, and the fewest that a key can take.
    return len(text) * 67 > limits.memory_bytes or len(text) > limits.keys * 4


def _text(raw: bytes | str, most: int) -> str:
    """Check size and encoding; the size counts in UTF-8."""
    try:
        size = len(raw.encode() if isinstance(raw, str) else raw)
        if size > most:
            raise InvalidInput(f"the JSON has {size} bytes, at most {most} are read")
        text = raw if isinstance(raw, str) else raw.decode()
    except UnicodeError as error:
        raise InvalidInput(f"the JSON is not UTF-8: {error}") from None
    if text.startswith("\ufeff"):
        raise InvalidInput("the JSON starts with a byte order mark", hint="write UTF-8 without it")
    text = text.strip(_WHITESPACE)
    if not text:
        raise InvalidInput("the JSON is empty, one value is expected")
    return text


def is_deeper_than(value: Any, most: int) -> bool:
    """Whether ``value`` is nested more than ``most`` levels; a list of numbers is one level."""
    level = [value] if isinstance(value, _CONTAINERS) else []
    for _ in range(most):
        if not level:
            return False
        level = [
            child
            for container in level
            for child in (container.values() if isinstance(container, dict) else container)
            if isinstance(child, _CONTAINERS)
        ]
    return bool(level)


def _too_deep(most: int) -> InvalidInput:
    return InvalidInput(f"the JSON is nested more than {most} levels deep")


def _check_surrogates(value: Any) -> None:
    try:
        compact(value)
    except ValueError as error:
        raise InvalidInput(f"the JSON is not valid: {error}") from None


def _without_stop(text: str) -> str:
    return text.rstrip(".")
