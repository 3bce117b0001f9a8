"""Names that are computed from bytes: digests, ULIDs, run ids, effect ids."""

from __future__ import annotations

import os

from babysitter.jsontext import compact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import _Hash
    from hashlib import sha256 as _sha256
    from typing import Any
else:
    # The interpreter's own C module: ``hashlib`` loads OpenSSL, which costs
    # more than hashing everything that a short command hashes.
    try:
        from _sha2 import sha256 as _sha256  # Python 3.12 and later
    except ImportError:
        try:
            from _sha256 import sha256 as _sha256
        except ImportError:
            from hashlib import sha256 as _sha256

# Crockford's: no i, l, o, u, which are misread or make words.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"

# OpenSSL hashes five times as fast (0.6 against 3.2 ns a byte) and takes 2.6 ms
# to load, so from about a megabyte on it is the quicker of the two.
_WORTH_LOADING_OPENSSL = 1 << 20

_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
_ULID_PAIRS = [pair.upper() for pair in _PAIRS]
_ULID_SHIFTS = tuple(range(120, -1, -10))
_EIGHTY_SHIFTS = tuple(range(70, -1, -10))


MOST_OF_ID = 64


def sha256_hex(data: bytes) -> str:
    """The SHA-256 of ``data`` as 64 hexadecimal digits."""
    return _sha256(data).hexdigest()


def digest10(data: bytes) -> bytes:
    """The first ten bytes of the SHA-256 of ``data``: 80 bits, 16 base32 characters."""
    return _sha256(data).digest()[:10]


def running_sha256(expected_bytes: int = 0) -> _Hash:
    """A SHA-256 to be fed piece by piece, the fastest kind for about so many bytes."""
    global _sha256  # noqa: PLW0603
    if expected_bytes >= _WORTH_LOADING_OPENSSL:
        # From here on also for single events: it is there now.
        from hashlib import sha256

        _sha256 = sha256
    return _sha256()


def ulid(ms: int, ten_bytes: bytes) -> str:
    """The ULID of a time in milliseconds and 80 given bits."""
    number = ms << 80 | int.from_bytes(ten_bytes, "big")
    return "".join([_ULID_PAIRS[number >> shift & 1023] for shift in _ULID_SHIFTS])


def base32(data: bytes) -> str:
    """``data`` in lower-case Crockford base32, five bits a character, the last filled up with zeros."""
    number = int.from_bytes(data, "big")
    if len(data) == 10:
        return "".join([_PAIRS[number >> shift & 1023] for shift in _EIGHTY_SHIFTS])
    length = (len(data) * 8 + 4) // 5
    number <<= length * 5 - len(data) * 8
    return "".join([ALPHABET[number >> 5 * place & 31] for place in range(length - 1, -1, -1)])


def valid_id(text: str) -> bool:
    """Whether ``text`` is an id: letters, digits, ``-`` and ``_``, 1 to 64, a letter or digit first."""
    return (
        isinstance(text, str)
        and 0 < len(text) <= MOST_OF_ID
        and text.isascii()
        and text[0] not in "-_"
        and text.replace("-", "").replace("_", "").isalnum()
    )


def new_run_id(process_id: str) -> str:
    """A run id that shows its process: ``<slug>-<six random characters>``."""
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in process_id.lower())
    slug = "-".join(part for part in kept.split("-") if part)[:48].rstrip("-")
    return f"{slug or 'run'}-{base32(os.urandom(5))[:6]}"


def successor_id(run_id: str) -> str:
    """The id of the run in which a run goes on: the same each time, the n-th is ``<first id>-cn``."""
    base, mark, number = run_id.rpartition("-c")
    if not mark or not number.isdigit():
        base, number = run_id, "1"
    following = f"-c{int(number) + 1}"
    if len(base) + len(following) > MOST_OF_ID:
        base = f"{base[: MOST_OF_ID - 30]}-{sha256_hex(base.encode())[:12]}"
    return f"{base}{following}"


def effect_id(run_id: str, step: str, task_id: str, args_hash: str, attempt: int, edit: Any) -> str:
    """The id of a request: the same request made again has the same id.

    ``edit`` names the last accepted edit of the process, so that what is asked
    again after an edit is a new effect.
    """
    return base32(digest10(compact([run_id, step, task_id, args_hash, attempt, edit]).encode()))
