"""Verdicts, the lines of a failed check that matter, and the table. Pure: it is used in replay."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter import ShellResult, TaskFailed

MOST_LINES = 12
LONGEST_LINE = 200
NO_TESTS = 5  # pytest's exit code for it, and that of unittest from Python 3.12 on
# What the others say when there was nothing for them to do, which is no failure.
NOTHING_TO_DO = {
    "unittest": "Ran 0 tests",
    "mypy": "There are no .py[i] files",
    "pyright": "No source files found",
    "eslint": "No files matching",
    "prettier": "No files matching",
    "tsc": "TS18003",
}
# How lines begin, or what is in them, that name a fault.
BEGINNINGS = {
    # Why a file of tests could not even be read stands before the summary, which only names the file.
    "pytest": ("FAILED ", "ERROR ", "E   ModuleNotFoundError", "E   ImportError"),
    "unittest": ("FAIL: ", "ERROR: "),
    "ruff format": ("--> ", "Would reformat"),
    "black": ("would reformat", "error: "),
    "prettier": ("[warn] ", "[error] "),
}
NOT_INSTALLED = "ModuleNotFoundError: No module named"
NOISE = ("[*]", "npm warn", "npm notice")  # what ruff and npm add to it
SIGNS = (": error", " error ", "error:", "Error:", "not ok ", "✖", "FAIL")


def judge(check: dict[str, Any], result: ShellResult, root: str = "") -> dict[str, Any]:
    """The line of the report for a check that has ended; files are named relative to the project."""
    output = relative(clean(f"{result.stdout}\n{result.stderr}"), root)
    told = {"name": check["name"], "tool": check["tool"], "seconds": round(result.duration, 1)}
    if found_nothing(check["tool"], result.exit_code, output):
        return {**told, "verdict": "missing", "detail": "nothing there for it to check"}
    if result.ok:
        return {**told, "verdict": "passed", "detail": summed_up(clean(result.stdout)) or last_line(output)}
    lines = telling_lines(check["tool"], output) or [f"exit {result.exit_code}, and no output"]
    if "hint" in check and NOT_INSTALLED in output:
        lines.append(check["hint"])
    return {**told, "verdict": "failed", "detail": "\n".join(lines)}


def found_nothing(tool: str, exit_code: int, output: str) -> bool:
    """Whether a tool had nothing to check, whatever its exit code makes of that."""
    if tool in ("pytest", "unittest") and exit_code == NO_TESTS:
        return True
    return tool in NOTHING_TO_DO and NOTHING_TO_DO[tool] in output


def judge_failure(check: dict[str, Any], error: TaskFailed) -> dict[str, Any]:
    """The line of the report for a check that could not be started, or took too long."""
    facts = error.data if isinstance(error.data, dict) else {}
    lines = [error.message, *telling_lines(check["tool"], clean(facts.get("stdout", "")))]
    told = {"name": check["name"], "tool": check["tool"], "seconds": round(seconds_of(error), 1)}
    return {**told, "verdict": "failed", "detail": "\n".join(lines)}


def seconds_of(error: TaskFailed) -> float:
    """How long a check was at it before it was given up."""
    facts = error.data if isinstance(error.data, dict) else {}
    return float(facts.get("durationMs", 0) / 1000)


def clean(output: str) -> str:
    """Without colours, and with what was written over left out."""
    first, *rest = output.split("\x1b[")
    text = first + "".join(part.lstrip("0123456789;")[1:] for part in rest)
    return "\n".join(line.rpartition("\r")[2] for line in text.replace("\r\n", "\n").split("\n"))


def telling_lines(tool: str, output: str) -> list[str]:
    """The first lines that name a fault, and the last line, which mostly counts them; else the last few."""
    lines = [line.strip()[:LONGEST_LINE] for line in output.splitlines() if line.strip(" =-")]
    lines = [line for line in lines if not line.startswith(NOISE)]
    telling = [line for line in lines if line.startswith(BEGINNINGS.get(tool, ()))]
    telling = telling or [line for line in lines if has_place(line) or any(sign in line for sign in SIGNS)]
    if not telling:
        return lines[-MOST_LINES:]
    rest = [f"… and {len(telling) - MOST_LINES} more"] if len(telling) > MOST_LINES else []
    return [*telling[:MOST_LINES], *rest, *([] if lines[-1] in telling else [lines[-1].strip(" =")])]


def has_place(line: str) -> bool:
    """Whether a line begins with a file and a line number, as linters and compilers write them."""
    parts = line.split(":", 2)
    return len(parts) == 3 and parts[1].isdigit()


def relative(output: str, root: str) -> str:
    """Without the project's folder before the files in it, as some tools write them."""
    return output.replace(f"{root.rstrip('/')}/", "") if root.strip("/") else output


def summed_up(output: str) -> str:
    """How many tests passed, where a test runner of JavaScript says so before its last line; else that."""
    counts = [line for line in output.splitlines() if is_count(line.split())]
    return counts[-1].strip(" #=")[:LONGEST_LINE] if counts else last_line(output)


def is_count(words: list[str]) -> bool:
    """``# pass 12`` of tape and node, ``12 passing (1s)`` of mocha."""
    match words:
        case [_, "pass", number] | [number, "passing", *_]:
            return number.isdigit()
    return False


def last_line(output: str) -> str:
    """What most tools sum up with."""
    lines = [line.strip(" =") for line in output.splitlines() if line.strip(" =")]
    return lines[-1][:LONGEST_LINE] if lines else ""


def summarize(
    ran: list[dict[str, Any]], missing: list[dict[str, Any]], times: dict[str, float]
) -> dict[str, Any]:
    """The report: counts, how long it took, what is missing, and each check that ran."""
    absent = [
        {name: check[name] for name in ("name", "tool", "detail")} for check in ran if is_missing(check)
    ]
    checks = [check for check in ran if not is_missing(check)]
    failed = sum(check["verdict"] == "failed" for check in checks)
    return {
        "passed": len(checks) - failed,
        "failed": failed,
        "times": times,
        "missing": [*missing, *absent],
        "checks": checks,
    }


def is_missing(check: dict[str, Any]) -> bool:
    return bool(check["verdict"] == "missing")


def counts(report: dict[str, Any]) -> str:
    """The report in one line."""
    told = f"{report['passed']} passed, {report['failed']} failed, {len(report['missing'])} missing"
    return told if report["checks"] else f"{told}: nothing to check"
