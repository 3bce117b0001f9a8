"""Signatures by OpenSSH's own program, ``ssh-keygen -Y``; keys on tokens and in ssh-agent work too."""

from __future__ import annotations

import os
import subprocess
from base64 import b64decode, b64encode
from hashlib import sha256
from tempfile import TemporaryDirectory

from babysitter.errors import BadSignature, InvalidInput, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "ssh-keygen"
# Says what the signature is for, so that one made for another purpose (a commit, say) does not count here.
NAMESPACE = "babysitter"
OWN_KEYS = ("id_ed25519_sk", "id_ecdsa_sk", "id_ed25519", "id_ecdsa", "id_rsa")


class Signature:
    """An armored signature.

    Attributes:
        text: as ``ssh-keygen`` prints it.
        public_key: of whoever made it, as in an authorized_keys file.
        fingerprint: of that key, as OpenSSH prints it.
    """

    def __init__(self, text: str) -> None:
        """Read the key from it; nothing is verified.

        Raises:
            BadSignature: it is not a signature.
        """
        self.text = text
        try:
            blob = _public_key_in(text)
            kind = _string_at(blob, 0).decode("ascii")
        except ValueError:
            raise BadSignature("what stands there as a signature is none") from None
        self.public_key = f"{kind} {b64encode(blob).decode()}"
        self.fingerprint = f"SHA256:{b64encode(sha256(blob).digest()).decode().rstrip('=')}"


def _public_key_in(text: str) -> bytes:
    """PROTOCOL.sshsig: between lines of dashes ``SSHSIG``, a version in four bytes, the key as a string."""
    inner = b64decode("".join(line for line in text.split("\n") if "-----" not in line), validate=True)
    if inner[:6] != b"SSHSIG":
        raise ValueError("something else")
    return _string_at(inner, 10)


def _string_at(data: bytes, at: int) -> bytes:
    length = int.from_bytes(data[at : at + 4], "big")
    found = data[at + 4 : at + 4 + length]
    if not found or len(found) != length:
        raise ValueError("cut off")
    return found


def own_key(home: str) -> str:
    """The key that a person signs with when none is named; those on a token first.

    Raises:
        InvalidInput: there is none.
    """
    for name in OWN_KEYS:
        path = os.path.join(home, ".ssh", name)
        if os.path.isfile(path):
            return path
    raise InvalidInput("there is no SSH key in '~/.ssh'", hint="name one: --key FILE")


def signer_of(key: str, signers: str | None) -> str | None:
    """The name that a file of allowed signers has for a key, as far as the key itself stands in it."""
    try:
        with open(f"{key}.pub", encoding="utf-8") as file:
            body = file.read().split()[1]
        with open(signers or os.devnull, encoding="utf-8") as file:
            lines = [line.split() for line in file if not line.startswith("#")]
    except (OSError, UnicodeDecodeError, IndexError):
        return None
    return next((words[0].split(",")[0] for words in lines if body in words[1:]), None)


def sign(message: str, key: str) -> Signature:
    """Sign with a person's key; it may ask for a passphrase, or to touch the token.

    Raises:
        InvalidInput: it cannot be signed with that key.
        UsageError: there is no ``ssh-keygen``.
    """
    if not os.path.isfile(key):
        raise InvalidInput(f"there is no key file {key!r}", hint="name an SSH key: --key FILE")
    # What it has to say and to ask goes to the terminal.
    done = _run(["sign", "-n", NAMESPACE, "-f", key], message, stderr=None)
    if done.returncode != 0:
        raise InvalidInput(
            f"nothing was signed with the key {key!r}: {PROGRAM} ended with exit code {done.returncode}"
        )
    return Signature(done.stdout)


def verify(message: str, signature: Signature, signers: str | None) -> str | None:
    """Check a signature; gives the name of the signer in the file of allowed signers, if there is a file.

    Raises:
        BadSignature: it is not one of this message, or that of nobody in the file.
        UsageError: there is no ``ssh-keygen``.
    """
    with TemporaryDirectory() as folder:
        path = os.path.join(folder, "signature")
        with open(path, "w", encoding="utf-8") as file:
            file.write(signature.text)
        if signers is None:
            done = _run(["check-novalidate", "-n", NAMESPACE, "-s", path], message)
            if done.returncode != 0:
                raise _bad(signature)
            return None
        return _verify_listed(message, signature, path, signers)


def _verify_listed(message: str, signature: Signature, path: str, signers: str) -> str:
    found = _run(["find-principals", "-s", path, "-f", signers], "")
    names = [line.split(",")[0].strip() for line in found.stdout.splitlines() if line.strip()]
    if found.returncode != 0 or not names:
        raise BadSignature(
            f"the key {signature.fingerprint} is not in the file of allowed signers {signers!r}",
            hint=f"to add it, put a line there: NAME {signature.public_key}",
        )
    for name in names:
        checked = ["verify", "-n", NAMESPACE, "-s", path, "-f", signers, "-I", name]
        if _run(checked, message).returncode == 0:
            return name
    raise _bad(signature)


def _bad(signature: Signature) -> BadSignature:
    return BadSignature(f"the signature of the key {signature.fingerprint} is not one of this approval")


def _run(
    words: Sequence[str], message: str, stderr: int | None = subprocess.DEVNULL
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [PROGRAM, "-Y", *words],
            input=message,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            check=False,
        )
    except OSError as error:
        raise UsageError(
            f"{PROGRAM!r} cannot be called: {error.strerror}",
            hint="install OpenSSH 8.2 or newer, which signs and verifies",
        ) from None
