"""Python effects: a function, called in a worker process."""

from __future__ import annotations

import hashlib
import json
import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.executors.python_worker import TRACEBACK_LENGTH, end_of
from babysitter.limits import Limits

if TYPE_CHECKING:
    from workshop import Workshop

    from babysitter.executors.pool import Finished, Pool, Work

SOURCE = '''
import os
import sys
from babysitter import python


def add(a, b=1):
    return a + b


@python
def decorated(a: int) -> int:
    """Decorated"""
    return a * 2


async def slow(a):
    import asyncio

    await asyncio.sleep(0)
    return [a]


class Tools:
    @staticmethod
    def half(a):
        return a / 2


def outer():
    def inner():
        pass

    return inner


def breaks(message):
    def deeper():
        raise ValueError(message)

    deeper()


def says():
    print("é out")
    print("err", file=sys.stderr)
    sys.stdin.read()


def exits(code):
    sys.exit(code)


def dies():
    os._exit(3)


def where():
    return [os.getcwd(), sys.path[0], __file__, __name__]


def sees():
    return sorted(name for name in os.environ if name.startswith("BABYSITTER_"))


def gives(kind):
    loop = []
    loop.append(loop)
    return {
        "nan": float("nan"), "set": {1}, "bytes": b"", "loop": loop, "surrogate": "\\ud800",
        "big": 10**4100, "twice": {1: 0, "1": 0}, "deep": eval("[" * 90 + "]" * 90),
    }[kind]


def closes():
    print("lost")
    os.close(1)
    os.close(2)
    return 1


constant = 5
'''


def process(workshop: Workshop, source: str = SOURCE, name: str = "process.py") -> Path:
    file = workshop.project / name
    file.write_text(source, "utf-8")
    return file


def work(workshop: Workshop, function: str, /, file: Path | None = None, **options: Any) -> Work:
    file = file or process(workshop)
    args = options.pop("args", {})
    told = {"module": None, "interpreter": None, **options, "function": function, "args": args}
    told.setdefault("process", {"file": str(file), "export": "process"})
    return workshop.work("python", told)


def call(workshop: Workshop, function: str, /, **args: Any) -> Finished:
    return workshop.perform(work(workshop, function, args=args))


def message_of(end: Finished) -> str:
    assert end.error is not None
    return end.error["message"]


def name_of(end: Finished) -> str:
    assert end.error is not None
    return end.error["name"]


def test_the_value_is_what_the_function_returns(workshop: Workshop) -> None:
    assert call(workshop, "add", a={"x": [1, None, "é"]}["x"][0], b=2).value == 3


def test_a_decorated_function_is_called_as_the_author_wrote_it(workshop: Workshop) -> None:
    assert call(workshop, "decorated", a=4).value == 8


def test_an_async_function_is_run_to_its_end(workshop: Workshop) -> None:
    assert call(workshop, "slow", a=1).value == [1]


def test_a_function_of_a_class_is_found(workshop: Workshop) -> None:
    assert call(workshop, "Tools.half", a=1).value == 0.5


def test_a_function_within_a_function_is_refused_with_what_to_do(workshop: Workshop) -> None:
    assert "define it outside" in message_of(call(workshop, "outer.<locals>.inner"))


def test_a_function_that_is_not_there_is_named(workshop: Workshop) -> None:
    end = call(workshop, "gone")
    assert (name_of(end), "'gone'" in message_of(end)) == ("AttributeError", True)


def test_what_is_not_a_function_is_refused(workshop: Workshop) -> None:
    assert "is 'int', and a function is expected" in message_of(call(workshop, "constant"))


def test_an_exception_is_the_error_with_the_authors_part_of_the_traceback(workshop: Workshop) -> None:
    end = call(workshop, "breaks", message="no good")
    assert end.error is not None
    trace = end.error["data"]["traceback"]
    assert (end.status, name_of(end), message_of(end), "in deeper" in trace, "python_worker" in trace) == (
        "error",
        "ValueError",
        "no good",
        True,
        False,
    )


def test_an_error_message_of_any_kind_is_kept(workshop: Workshop) -> None:
    source = "def f():\n    raise Exception('\\ud800' + 'x' * 10**6)\n"
    end = workshop.perform(work(workshop, "f", file=process(workshop, source)))
    assert (name_of(end), message_of(end)[:8], len(message_of(end)) < 5000) == (
        "Exception",
        "\\ud800xx",
        True,
    )


def test_an_error_that_cannot_show_itself_is_kept(workshop: Workshop) -> None:
    source = "class E(Exception):\n    def __str__(self): raise SystemExit\ndef f(): raise E\n"
    end = workshop.perform(work(workshop, "f", file=process(workshop, source)))
    assert (end.status, name_of(end)) == ("error", "E")


def test_what_the_function_prints_goes_to_the_logs(workshop: Workshop) -> None:
    end = call(workshop, "says")
    folder = workshop.folder("e1")
    logs = [(folder / name).read_text("utf-8") for name in ("stdout.log", "stderr.log")]
    assert (end.value, logs) == (None, ["é out\n", "err\n"])


def test_logs_are_utf8_whatever_the_locale_says(workshop: Workshop) -> None:
    pool = workshop.pool(environment={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"})
    workshop.perform(work(workshop, "says"), pool)
    assert (workshop.folder("e1") / "stdout.log").read_text("utf-8") == "é out\n"


@pytest.mark.parametrize("code", [0, 1, "bye"])
def test_a_function_that_exits_has_failed(workshop: Workshop, code: int | str) -> None:
    end = call(workshop, "exits", code=code)
    assert (end.status, name_of(end), message_of(end)) == ("error", "SystemExit", str(code))


def test_a_worker_that_dies_without_an_answer_has_failed(workshop: Workshop) -> None:
    end = call(workshop, "dies")
    assert (name_of(end), message_of(end)) == (
        "WorkerFailed",
        "the worker of dies() ended with exit code 3 before it gave a result",
    )


def test_a_worker_that_is_killed_tells_the_signal(workshop: Workshop) -> None:
    source = "import os\ndef f(): os.kill(os.getpid(), 9)\n"
    end = workshop.perform(work(workshop, "f", file=process(workshop, source)))
    assert message_of(end) == "the worker of f() was killed by SIGKILL (9) before it gave a result"


def test_a_function_that_closes_its_output_still_gives_its_value(workshop: Workshop) -> None:
    assert call(workshop, "closes").value == 1


def test_a_worker_that_outlasts_its_time_is_ended(workshop: Workshop) -> None:
    source = "def f():\n    while True: pass\n"
    end = workshop.perform(work(workshop, "f", file=process(workshop, source), timeout=0.3))
    assert (name_of(end), message_of(end)) == ("TaskTimeout", "f() did not end within 0.3 s and was ended")


@pytest.mark.parametrize("kind", ["nan", "set", "bytes", "loop", "surrogate", "big", "twice"])
def test_a_value_that_is_not_json_is_rejected(workshop: Workshop, kind: str) -> None:
    end = call(workshop, "gives", kind=kind)
    assert (end.status, name_of(end), "gives() returned" in message_of(end)) == (
        "error",
        "ResultRejected",
        True,
    )


def test_a_value_may_be_as_deep_as_the_limits_say(workshop: Workshop) -> None:
    assert call(workshop, "gives", kind="deep").status == "ok"


def test_a_value_that_is_too_large_is_rejected(workshop: Workshop) -> None:
    pool: Pool = workshop.pool(limits=Limits(result_bytes=100))
    end = workshop.perform(work(workshop, "add", args={"a": "x" * 1000, "b": ""}), pool)
    assert (name_of(end), "at most 100" in message_of(end)) == ("ResultRejected", True)


def test_it_runs_in_the_project_as_the_module_that_the_process_is(workshop: Workshop) -> None:
    folder = workshop.project / "deep"
    folder.mkdir()
    file = process(workshop, name="deep/process.py")
    end = workshop.perform(work(workshop, "where", file=file))
    assert end.value == [os.path.realpath(workshop.project), str(folder), str(file), "__babysitter_process__"]


def test_the_function_sees_nothing_of_the_workers_own(workshop: Workshop) -> None:
    names = [name for name in call(workshop, "sees").value if name != "BABYSITTER_HOME"]
    told = ("ARTIFACTS", "ATTEMPT", "EFFECT_ID", "EFFECT_LOCK", "RUN_ID", "TRY")
    assert names == [f"BABYSITTER_{name}" for name in told]


def test_modules_beside_the_process_can_be_imported(workshop: Workshop) -> None:
    package = workshop.project / "tools"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "numbers.py").write_text("def three(): return 3\n")
    file = process(workshop, "from tools.numbers import three\n")
    assert workshop.perform(work(workshop, "three", file=file)).value == 3


def test_a_function_of_a_module_beside_the_process_is_called(workshop: Workshop) -> None:
    (workshop.project / "tools.py").write_text(
        "from babysitter import python\n@python\ndef three(): return 3\n"
    )
    assert workshop.perform(work(workshop, "three", module="tools")).value == 3


def test_a_file_named_like_a_standard_module_does_not_replace_it(workshop: Workshop) -> None:
    (workshop.project / "json.py").write_text("raise SystemExit('hijacked')")
    (workshop.project / "colorsys.py").write_text("raise SystemExit('hijacked')")
    file = process(workshop, "import colorsys, json\ndef f(): return colorsys.__name__\n")
    assert workshop.perform(work(workshop, "f", file=file)).value == "colorsys"


def test_the_environment_does_not_decide_what_is_imported(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "colorsys.py").write_text("raise SystemExit('hijacked')")
    pool = workshop.pool(environment={**os.environ, "PYTHONPATH": str(tmp_path)})
    file = process(workshop, "import colorsys\ndef f(): return colorsys.__name__\n")
    assert workshop.perform(work(workshop, "f", file=file), pool).value == "colorsys"


def test_compiled_files_beside_the_process_are_neither_believed_nor_made(workshop: Workshop) -> None:
    tools = workshop.project / "tools.py"
    tools.write_text("def f(): return 'compiled'\n")
    cache = Path(
        py_compile.compile(str(tools), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    )
    tools.write_text("def f(): return 'source'\n")
    (workshop.project / "fresh.py").write_text("")
    file = process(workshop, "import fresh\nfrom tools import f\n")
    end = workshop.perform(work(workshop, "f", file=file))
    assert (end.value, os.listdir(cache.parent)) == ("source", [cache.name])


def test_a_process_that_was_changed_is_refused(workshop: Workshop) -> None:
    file = process(workshop)
    told = {"file": str(file), "export": "process", "sha256": "0" * 64}
    end = workshop.perform(work(workshop, "add", file=file, process=told, args={"a": 1}))
    assert (name_of(end), "was changed after the function was asked for" in message_of(end)) == (
        "ImportError",
        True,
    )


def test_a_process_with_the_digest_that_is_expected_is_run(workshop: Workshop) -> None:
    file = process(workshop)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    told = {"file": str(file), "export": "process", "sha256": digest}
    assert workshop.perform(work(workshop, "add", process=told, args={"a": 1})).value == 2


def test_a_process_that_does_not_compile_is_an_error_of_its_own(workshop: Workshop) -> None:
    end = workshop.perform(work(workshop, "f", file=process(workshop, "def f(:\n")))
    assert name_of(end) == "SyntaxError"


def test_a_process_file_that_is_gone_is_named(workshop: Workshop) -> None:
    file = workshop.project / "gone.py"
    end = workshop.perform(work(workshop, "f", file=file))
    assert (name_of(end), str(file) in message_of(end)) == ("FileNotFoundError", True)


def test_wrong_arguments_are_an_error_as_in_python(workshop: Workshop) -> None:
    end = call(workshop, "add", c=1)
    assert (name_of(end), "'c'" in message_of(end)) == ("TypeError", True)


def test_an_interpreter_that_is_not_there_is_named(workshop: Workshop) -> None:
    end = workshop.perform(work(workshop, "add", interpreter=".venv/bin/python"))
    assert (
        message_of(end)
        == "cannot start '.venv/bin/python': there is no such file; install it, or check the path"
    )


def test_an_interpreter_that_is_none_says_what_it_said(workshop: Workshop) -> None:
    end = workshop.perform(work(workshop, "add", interpreter="false"))
    assert message_of(end) == "the worker of add() ended with exit code 1 before it gave a result"


@pytest.mark.parametrize("told", [{"process": None}, {"process": {}}, {"process": {"file": 3}}])
def test_a_definition_that_names_no_process_is_refused(workshop: Workshop, told: dict[str, Any]) -> None:
    end = workshop.perform(work(workshop, "add", **told))
    assert (name_of(end), "which function of which process file" in message_of(end)) == ("StartFailed", True)


def test_garbage_in_the_place_of_an_answer_is_no_result(workshop: Workshop) -> None:
    source = "import os\ndef f():\n    for fd in range(3, 50):\n        try: os.write(fd, b'error\\n[]\\n')\n"
    source += "        except OSError: pass\n    os._exit(0)\n"
    end = workshop.perform(work(workshop, "f", file=process(workshop, source)))
    assert (end.status, name_of(end)) == ("error", "WorkerFailed")


def test_evidence_tells_the_interpreter_and_the_exit_code(workshop: Workshop) -> None:
    end = call(workshop, "add", a=1)
    assert end.evidence is not None
    assert (end.evidence["argv"][0], end.evidence["exitCode"]) == (sys.executable, 0)


def test_a_project_interpreter_without_babysitter_runs_it_and_gets_nothing_else_of_ours(
    workshop: Workshop,
) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", workshop.project / ".venv"], check=True)
    source = """
from babysitter import python

@python
def f():
    import sys
    try:
        import pydantic
    except ImportError:
        return sys.prefix
"""
    file = process(workshop, source)
    end = workshop.perform(work(workshop, "f", file=file, interpreter=".venv/bin/python"))
    assert end.value == str(workshop.project / ".venv")


def other_pythons() -> list[str]:
    """Interpreters of other versions that are installed here."""
    names = [f"python3.{minor}" for minor in range(9, 16) if minor != sys.version_info.minor]
    return [name for name in names if shutil.which(name)]


@pytest.mark.parametrize("interpreter", other_pythons() or [None])
def test_the_worker_runs_on_other_pythons(workshop: Workshop, interpreter: str | None) -> None:
    if interpreter is None:
        pytest.skip("no other Python is installed")
    answered = subprocess.run([interpreter, "-c", "print(1)"], capture_output=True, check=False)
    if answered.returncode:
        pytest.skip(f"{interpreter} is installed and does not run")
    (workshop.project / "tools.py").write_text("three = 3\n")
    source = "import sys, tools\nfrom babysitter import python\n"
    source += "@python\nasync def f(a): return [a, tools.three, list(sys.version_info[:2])]\n"
    end = workshop.perform(
        work(workshop, "f", file=process(workshop, source), interpreter=interpreter, args={"a": 1})
    )
    minor = int(interpreter.partition(".")[2])
    assert json.dumps(end.value) == json.dumps([1, 3, [3, minor]])


def test_a_long_traceback_begins_at_a_line() -> None:
    lines = "password=" + "a" * 40 + "\n" + "x" * (TRACEBACK_LENGTH - 10)
    assert end_of(lines) == "x" * (TRACEBACK_LENGTH - 10)
