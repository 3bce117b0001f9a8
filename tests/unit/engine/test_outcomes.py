"""What steps give back."""

from __future__ import annotations

from babysitter import Decision, Outcome, ShellResult

ENDED = {
    "exitCode": 2,
    "stdout": "out",
    "stderr": "err",
    "durationMs": 1500,
    "stdoutBytes": 3,
    "stderrBytes": 3,
}


def test_a_shell_result_is_read_from_its_journalled_form() -> None:
    assert ShellResult.read(ENDED) == ShellResult(2, "out", "err", 1.5)


def test_a_shell_result_needs_no_more_than_its_exit_code() -> None:
    assert ShellResult.read({"exitCode": 0}) == ShellResult(0, "", "", 0)


def test_a_command_is_ok_when_it_exits_with_zero() -> None:
    assert [ShellResult(code, "", "", 0).ok for code in (0, 1)] == [True, False]


def test_a_decision_is_read_from_its_journalled_form() -> None:
    value = {
        "approved": True,
        "response": "r",
        "feedback": "f",
        "option": "o",
        "respondedBy": "me",
        "allResponses": [1],
    }
    assert Decision.read(value) == Decision(
        True, response="r", feedback="f", option="o", responded_by="me", all_responses=[1]
    )


def test_a_decision_needs_no_more_than_yes_or_no() -> None:
    assert Decision.read({"approved": False}) == Decision(False)


def test_values_with_equal_fields_are_equal() -> None:
    assert (Outcome(True, [1]) == Outcome(True, [1]), Outcome(True, 1) == Outcome(True, 2)) == (True, False)


def test_values_of_different_kinds_differ() -> None:
    assert Outcome(True) != ShellResult(0, "", "", 0)


def test_equal_values_have_equal_hashes() -> None:
    assert hash(Outcome(True, [1])) == hash(Outcome(True, [1]))


def test_a_value_shows_its_fields() -> None:
    assert repr(Outcome(True, 1)) == "Outcome(error=None, ok=True, value=1)"
