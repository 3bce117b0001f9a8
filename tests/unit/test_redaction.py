"""What is a secret and what is not, and that a stream gives the same however it is cut."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from babysitter.limits import Limits
from babysitter.redaction import MARKS, NAMES, Redaction, redaction_of
from babysitter.redaction.stream import STEP, WINDOW

GITHUB = "ghp_" + "a1B2" * 9
BODY = "MIIEowIBAAKCAQEA75cXXzPqN1dBBXsT/Qh+" + "Zm9v" * 7
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"

# Each with what must not be left of it.
SECRETS = [
    ("GITHUB_TOKEN=abcdef123", "abcdef123"),
    ("export TOKEN=abcdef", "abcdef"),
    ('{"access_token": "abcdefgh", "n": 1}', "abcdefgh"),
    ('{"accessToken":"abcdefgh"}', "abcdefgh"),
    (r'"{\"token\": \"abc123\"}"', "abc123"),
    ("{'token': 'abc123'}", "abc123"),
    ('os.environ["TOKEN"] = "abc123"', "abc123"),
    ("password: hunter2", "hunter2"),
    ("password = hunter2", "hunter2"),
    ("passwd=hunter", "hunter"),
    ("db.password=p@ssword", "p@ssword"),
    ('password: "correct-horse"', "correct-horse"),
    (r'password = "ab\"cdefgh"', "cdefgh"),
    ("DB_PASSWORD_PROD=hunter2", "hunter2"),
    ("PGPASSWORD=hunter psql", "hunter"),
    ("--password hunter22", "hunter22"),
    ("--password=hunter", "hunter"),
    ("['--github-token', 'abc123']", "abc123"),
    ("Authorization: Bearer abc.def123", "abc.def123"),
    ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    ("{'Authorization': 'token abcdef12'}", "abcdef12"),
    ('Authorization: Digest username="u", response="abc"', "response"),
    ("authorization=abcdef123", "abcdef123"),
    ("Set-Cookie: sid=abc; Path=/; HttpOnly", "abc"),
    ("'Cookie': 'a=first; b=second'", "second"),
    ("X-Api-Key: 0123abcdef", "0123abcdef"),
    ("api_key=abcdefgh", "abcdefgh"),
    ("apikey => 'abcdefgh'", "abcdefgh"),
    ("credentials: abc12345", "abc12345"),
    ("client_secret=abcdefgh&next=1", "abcdefgh"),
    ("clientSecret: 'abcdefg'", "abcdefg"),
    ("https://host/?access_token=abc123&x=1", "abc123"),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY", "wJalrXUtnFEMI"),
    ("//registry.example.org/:_authToken=npm_abcDEF", "npm_abcDEF"),
    ("token=$2b$12$abcdefghijkl", "abcdefghijkl"),
    ("SECRET=supersecretpassword", "supersecretpassword"),
    ("password=12345678", "12345678"),
    ("use sk-abcdefghij0123456789klmn now", "abcdefghij"),
    (f"({GITHUB})", "a1B2"),
    *((f"x gh{letter}_{'a1B2' * 9}.", "a1B2") for letter in "ousr"),
    ("github_pat_11ABCDEFG0123456789_abcdefgh", "11ABCDEFG"),
    ("glpat-abcdefghij0123456789", "abcdefghij"),
    ("xoxb-123456789012-abcdefghij", "123456789012"),
    ("id AKIAIOSFODNN7EXAMPLE", "IOSFODNN7EXAMPLE"),
    ("ASIAIOSFODNN7EXAMPLE,", "IOSFODNN7EXAMPLE"),
    (JWT, "dozjgNryP4J3"),
    (f"jwt {JWT}.", "dozjgNryP4J3"),
    ("postgres://user:pw@host/db", "pw"),
    ("https://x-access-token:abc@host/a.git", ":abc@"),
    ("redis://:abcdefg@host", "abcdefg"),
    (f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\nab/c\n-----END RSA PRIVATE KEY-----", "ab/c"),
    (f"-----BEGIN PRIVATE KEY-----\r\n{BODY}\r\n-----END PRIVATE KEY-----\r\n", "MIIEow"),
    (f"1 | -----BEGIN EC PRIVATE KEY-----\n2 | {BODY}\n3 | -----END EC PRIVATE KEY-----", "MIIEow"),
    (f'"key": "-----BEGIN PRIVATE KEY-----\\n{BODY}\\n-----END PRIVATE KEY-----\\n"', "MIIEow"),
    (f"'-----BEGIN PRIVATE KEY-----\\n{BODY}", "MIIEow"),
    (f"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n{BODY}\n", "MIIEow"),
]

ORDINARY = [
    "the token count is 12",
    "password must not be empty",
    "tokens: 512",
    "max_tokens=100000",
    "def token(self)",
    "token = get_token()",
    "token=response.json()",
    "token = tokens[index]",
    "token=token",
    "client = Client(token=access_token)",
    "token=accessToken",
    "password=args.password",
    "api_key=settings.api_key",
    "password: required",
    "Password: str, name: str",
    "token: Optional[str] = None",
    '{"password": "must not be empty"}',
    '{"password": "should be longer"}',
    '{"password": "has 8 characters at least"}',
    '{"token": null, "secret": "", "cookie": true}',
    "token_count: 123456",
    "TOKEN_EXPIRES_AT=2024-05-01T12:00:00",
    "secret_name=database-prod1",
    '"token_type": "bearer"',
    "cookie==0.18.1",
    '"tough-cookie": "^4.1.30"',
    "TOKENIZERS_PARALLELISM=false",
    "secretary: abcdefg1",
    "token=$TOKEN",
    "token=${TOKEN:-abcdef}",
    "token=<your token>",
    "password=********",
    "Authorization: Bearer $TOKEN",
    "Authorization: Bearer authentication is used",
    "Unexpected token: Identifier",
    "use --password instead",
    "--token TOKEN  the token",
    "Token::Identifier",
    "a cookie: chocolate",
    "task-0123456789abcdefabcdefabcd",
    "sk-learn-has-a-long-name-indeed",
    "ghp_short",
    "AKIA",
    "TRANSAKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9 alone",
    "http://host:8080/a@b",
    "https://user@host/path",
    "postgres://user:$PASSWORD@host",
    "token_url: https://host/oauth2/token",
    "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----",
    'if "-----BEGIN RSA PRIVATE KEY-----" in text:\n    return',
    "token=[redacted]",
    "naïve café, 東京",
]


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_a_secret_is_redacted(text: str, secret: str) -> None:
    clean = Redaction().text(text)
    assert (secret in clean, "[redacted]" in clean) == (False, True)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert Redaction().text(text) == text


@pytest.mark.parametrize("text", [text for text, _ in SECRETS])
def test_what_is_redacted_once_stays_as_it_is(text: str) -> None:
    clean = Redaction().text(text)
    assert Redaction().text(clean) == clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("A_TOKEN=abcdef123 and more", "A_TOKEN=[redacted] and more"),
        ('{"password": "abcdef", "n": 1}', '{"password": "[redacted]", "n": 1}'),
        ("Authorization: Bearer abcdef12 -> 401", "Authorization: Bearer [redacted] -> 401"),
        ("Set-Cookie: sid=abc; Path=/\nnext", "Set-Cookie: [redacted]\nnext"),
        ("pull https://user:pw@host/a", "pull https://user:[redacted]@host/a"),
        ("--token abc123 --verbose", "--token [redacted] --verbose"),
        (
            f"a\n-----BEGIN PRIVATE KEY-----\n{BODY}\n{BODY}\nab==\n-----END PRIVATE KEY-----\nb",
            "a\n-----BEGIN PRIVATE KEY-----\n[redacted]\n-----END PRIVATE KEY-----\nb",
        ),
        (
            f"-----BEGIN PRIVATE KEY-----\n{BODY}\nbut then\npassword: hunter2\nab==",
            "-----BEGIN PRIVATE KEY-----\n[redacted]\nbut then\npassword: [redacted]\nab==",
        ),
        (
            f"-----BEGIN PRIVATE KEY-----\npassword: hunter2\n{BODY}",
            "-----BEGIN PRIVATE KEY-----\npassword: [redacted]\n[redacted]",
        ),
    ],
)
def test_what_stands_around_a_secret_stays(text: str, clean: str) -> None:
    assert Redaction().text(text) == clean


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        ("correct horse", "say [redacted]!"),
        ('quo"ted\\x', "say [redacted]!"),
        ("first line\nsecond line", "say [redacted]\n[redacted]!"),
        ("a" * 5000, "say [redacted]!"),
        ("short", "say short!"),
    ],
)
def test_the_value_of_a_secret_is_redacted_wherever_it_stands(value: str, clean: str) -> None:
    assert Redaction(values=[value]).text(f"say {value}!") == clean


def test_the_value_of_a_secret_is_redacted_as_json_writes_it() -> None:
    assert Redaction(values=['quo"ted']).text(r'"say quo\"ted"') == '"say [redacted]"'


def test_of_two_values_the_longer_one_leaves_nothing() -> None:
    assert Redaction(values=["abcdef", "abcdefgh"]).text("abcdefgh") == "[redacted]"


def test_a_value_that_begins_like_a_name_is_found_in_pieces() -> None:
    stream = Redaction(values=["my secret phrase"]).stream()
    pieces = [b"say my secret", b" phrase!"]
    assert b"".join([*map(stream.take, pieces), stream.finish()]) == b"say [redacted]!"


def test_in_pieces_a_mark_in_the_middle_of_a_word_is_none() -> None:
    assert cut(Redaction(), [b"ri", b"sk-0123456789abcdef01234"]) == b"risk-0123456789abcdef01234"


def test_a_configured_name_is_one_too() -> None:
    assert Redaction(names=["Dsn"]).text("app_dsn=abcdef tokens") == "app_dsn=[redacted] tokens"


def test_a_configured_pattern_is_one_too() -> None:
    assert Redaction(patterns=["ACME-[0-9]{4}"]).text("an ACME-1234 é") == "an [redacted] é"


def test_of_a_pattern_with_a_group_the_group_is_redacted() -> None:
    assert Redaction(patterns=["pin ([0-9]+)"]).text("pin 1234, tan 5") == "pin [redacted], tan 5"


def test_a_pattern_is_matched_within_a_line() -> None:
    assert Redaction(patterns=["a[^b]*b"]).text("a\nb a-b") == "a\nb [redacted]"


def test_a_pattern_may_cut_a_character() -> None:
    assert Redaction(patterns=[r"x[^a-z]"]).text("xé") == "[redacted]\ufffd"


def test_half_characters_stay_as_they_are() -> None:
    assert Redaction().text("\udcff token=abcdef1") == "\udcff token=[redacted]"


def test_nothing_is_redacted_when_it_is_switched_off() -> None:
    limits = Limits()
    limits.redacts = False
    redaction = redaction_of(limits, ["hunter2000"])
    text = "token=abcdef1 hunter2000"
    assert (redaction.text(text), redaction.data({"token": "abcdef"})) == (text, {"token": "abcdef"})


@pytest.mark.parametrize(
    ("told", "clean"),
    [
        ({"token": "abcdef"}, {"token": "[redacted]"}),
        ({"a": [{"api_key": ["abcdef"]}]}, {"a": [{"api_key": ["[redacted]"]}]}),
        ({"password": "must not be empty"}, {"password": "must not be empty"}),
        ({"Cookie": "a=b; c=d"}, {"Cookie": "[redacted]"}),
        ({"Authorization": "Bearer abc12345"}, {"Authorization": "Bearer [redacted]"}),
        ({"text": "token=abcdef1"}, {"text": "token=[redacted]"}),
        ({"tokens": 512, "token": None}, {"tokens": 512, "token": None}),
        ({"note": "abcdef"}, {"note": "abcdef"}),
    ],
)
def test_in_data_the_key_is_the_name(told: object, clean: object) -> None:
    assert Redaction().data(told) == clean


def cut(redaction: Redaction, pieces: list[bytes]) -> bytes:
    stream = redaction.stream()
    return b"".join([*map(stream.take, filter(None, pieces)), stream.finish()])


PARTS = [
    *(
        "token",
        "=",
        ": ",
        "password",
        "abc12345",
        " ",
        "\n",
        "\r",
        "\r\n",
        "é",
        "\ufffd",
        "-",
        '"',
        "'",
        "\\",
    ),
    *("ghp_", GITHUB, "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----", BODY, "ab=", "@"),
    *(
        "://",
        "://user:pass@host",
        "sk-",
        "sk-abcdefghij0123456789klmn",
        "x" * 30,
        "Cookie: a=b;",
        "Authorization: Bearer ",
        JWT,
        "eyJ",
    ),
    *("hunter2000", "hunt", "er2000", "my secret phrase", "my secret", "PIN 1234", "pin", "=123456", "tok"),
    *("en", "-----", "BEGIN", " PRIVATE KEY-----", "Proc-Type: 4,E", "AKIAIOSFODNN7EXAMPLE"),
]
KINDS = {
    "built in": Redaction(),
    "values": Redaction(values=["hunter2000", "my secret phrase"]),
    "names": Redaction(names=["pin"]),
    "patterns": Redaction(patterns=["PIN [0-9]{4}"]),
}


@pytest.mark.parametrize("kind", KINDS)
@given(
    text=st.lists(st.sampled_from(PARTS) | st.text(max_size=3), max_size=30).map("".join),
    cuts=st.lists(st.integers(0, 400), max_size=12),
    window=st.sampled_from([24, 64, 200, WINDOW]),
)
def test_however_a_stream_is_cut_the_same_comes_out(
    kind: str, text: str, cuts: list[int], window: int
) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    ends = [0, *sorted(cuts), len(raw)]
    pieces = [raw[start:end] for start, end in pairwise(ends)]
    with (
        patch("babysitter.redaction.stream.WINDOW", window),
        patch("babysitter.redaction.stream.STEP", window // 2),
    ):
        told = [cut(KINDS[kind], each) for each in ([raw], pieces, [bytes([byte]) for byte in raw])]
    assert told == [told[0]] * 3


@pytest.mark.parametrize("offset", [*range(-45, 5), 1000])
@pytest.mark.parametrize("place", [STEP, WINDOW, WINDOW + STEP])
@pytest.mark.parametrize("first", ["token ", ""])
def test_in_an_endless_line_a_secret_is_found_wherever_it_is(first: str, place: int, offset: int) -> None:
    line = f"{first}{'.' * (place + offset)} {GITHUB} password=abc12345 {'.' * 3 * WINDOW}"
    clean = cut(Redaction(), [line.encode()])
    assert clean.decode() == line.replace(GITHUB, "[redacted]").replace("abc12345", "[redacted]")


@pytest.mark.parametrize("unit", ["a", "token", "token=", "token: '", "-----BEGIN PRIVATE KEY-----", "://"])
def test_of_an_endless_line_no_more_than_a_window_is_held(unit: str) -> None:
    stream = Redaction().stream()
    most = 0
    for _ in range(40):
        stream.take((unit * 4096).encode()[:4096])
        most = max(most, len(stream._held))
    assert most < WINDOW


# A look that took long at each place would not end in the time that a whole test run is given.
@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "=",
        "token",
        "-----BEGIN",
        "-----BEGIN PRIVATE KEY-----\n",
        "token=",
        "eyJ",
        "://",
        "-token ",
        "sk-",
    ],
)
def test_a_megabyte_of_beginnings_ends_soon(unit: str) -> None:
    text = (unit * (1 + (1 << 20) // len(unit))).encode()
    clean = cut(Redaction(), [text[at : at + 65536] for at in range(0, len(text), 65536)])
    assert clean == text or unit == "token="


@pytest.mark.parametrize(
    ("pieces", "gone"),
    [
        ([b"Downloading 45%"], b"Downloading 45%"),
        ([b"10%\r20%"], b"10%\r20%"),
        ([b"the to"], b"the "),
        ([b"at https://host/"], b"at https"),
        ([b"a tok", b"en: 5 of 6"], b"a "),
        ([b"a token: 5\n"], b"a token: 5\n"),
    ],
)
def test_of_a_line_that_is_not_ended_only_what_may_become_a_secret_is_held(
    pieces: list[bytes], gone: bytes
) -> None:
    stream = Redaction().stream()
    assert b"".join(map(stream.take, pieces)) == gone


@pytest.mark.parametrize(
    ("redaction", "text", "shown"),
    [
        (Redaction(), b"the to", b"to"),
        (Redaction(), b"tokens: 5 of 6 done", b"tokens: 5 of 6 "),
        (Redaction(), b"password=abc", b""),
        (Redaction(), b"password=abcdefg password=", b"password=[redacted] "),
        (Redaction(), b"-----BEGIN PRIVATE KEY-----\nMIIE wow", b""),
        (Redaction(values=["hunter2000"]), b"hunt", b""),
        (Redaction(patterns=["PIN [0-9]{4}"]), b"PIN 12 ", b""),
    ],
)
def test_what_is_held_is_shown_as_far_as_it_can_be_no_secret(
    redaction: Redaction, text: bytes, shown: bytes
) -> None:
    stream = redaction.stream()
    stream.take(text)
    assert stream.peek() == shown


@pytest.mark.parametrize("needle", [*NAMES, *(name.upper() for name in NAMES), *MARKS, b"Dsn", b"hunter2000"])
def test_the_quick_look_finds_each_beginning(needle: bytes) -> None:
    stream = Redaction(names=["dsn"], values=["hunter2000"]).stream()
    assert stream._rules.may_touch(b"a " + needle + b" b")


@pytest.mark.parametrize(("text", "imported"), [("all is well", False), ("token=abcdef1", True)])
def test_for_a_text_without_beginnings_no_expression_is_loaded(text: str, imported: bool) -> None:
    script = f"""
import sys
sys.path[:0] = {sys.path!r}
from babysitter.redaction import Redaction
Redaction().text({text!r})
Redaction().data({{"label": {text!r}}})
print("re" in sys.modules)
"""
    told = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout == f"{imported}\n"
