"""How large things may be, what is not written down of them, what they cost: what a configuration can say."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.prices import Prices

KIB = 1024
MIB = 1024 * KIB


class Limits:
    """Bounds on what comes in from outside.

    Attributes:
        result_bytes: of one result, as JSON text.
        memory_bytes: about what one value may take in memory; many small parts take more than their text.
        keys: of all objects in one value together.
        depth: of nesting in one value.
        inline_bytes: a value or definition up to this size stands in its event, a larger one in a file.
        iterate_seconds: how long a process may run without coming to rest; 0: for ever.
        hook_seconds: how long a hook may run.
        redacts: secrets are redacted where output, logs and tracebacks are written.
        secret_names, secret_patterns: what is a secret beside what is built in.
        prices: what tokens cost; None: nobody has said.
    """

    __slots__ = (
        "depth",
        "hook_seconds",
        "inline_bytes",
        "iterate_seconds",
        "keys",
        "memory_bytes",
        "prices",
        "redacts",
        "result_bytes",
        "secret_names",
        "secret_patterns",
    )

    def __init__(
        self,
        *,
        result_bytes: int = 16 * MIB,
        memory_bytes: int = 64 * MIB,
        keys: int = 250_000,
        depth: int = 100,
        inline_bytes: int = 32 * KIB,
        iterate_seconds: float = 30,
    ) -> None:
        self.result_bytes = result_bytes
        self.memory_bytes = memory_bytes
        self.keys = keys
        self.depth = depth
        self.inline_bytes = inline_bytes
        self.iterate_seconds = iterate_seconds
        self.hook_seconds: float = 10
        self.redacts = True
        self.secret_names: tuple[str, ...] = ()
        self.secret_patterns: tuple[str, ...] = ()
        self.prices: Prices | None = None


DEFAULT = Limits()
