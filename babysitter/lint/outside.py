"""What reaches out of a process by the name of a function: clocks, chance, files, programs, threads."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.external import A_PATH
from babysitter.lint.findings import in_words
from babysitter.lint.meanings import External

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.lint.place import Place


def _names(prefix: str, words: str) -> dict[str, None]:
    return dict.fromkeys(f"{prefix}.{word}" for word in words.split())


ENVIRONMENT, FILES, NETWORK = "BS103", "BS104", "BS105"
LEVELS = "debug info warning error critical exception log"
# By code: what a call has to be called. `X.*` is everything of X.
CALLS: dict[str, tuple[str, ...]] = {
    "BS101": (
        *_names("time", "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns process_time"),
        *_names("time", "process_time_ns thread_time thread_time_ns clock_gettime clock_gettime_ns"),
        *_names("datetime", "datetime.now datetime.utcnow datetime.today date.today"),
        *("pandas.Timestamp.now", "pendulum.now", "pendulum.today", "arrow.now", "arrow.utcnow"),
        *("os.times", "asyncio.get_event_loop().time"),
    ),
    "BS102": (
        *("random.*", "secrets.*", "numpy.random.*", "os.urandom", "os.getrandom", "ssl.RAND_bytes"),
        *_names("uuid", "uuid1 uuid4 uuid6 uuid7 getnode"),
    ),
    "BS103": (
        *_names("os", "getenv getenvb getpid getppid getlogin uname cpu_count getcwd getcwdb getuid"),
        *("os.path.expanduser", "os.path.expandvars", "pathlib.Path.cwd", "pathlib.Path.home"),
        *("os.get_terminal_size", "shutil.get_terminal_size", "shutil.which", "platform.*"),
        *_names("socket", "gethostname getfqdn"),
        *("getpass.getuser", "locale.getlocale", "locale.getdefaultlocale", "multiprocessing.cpu_count"),
    ),
    FILES: (
        *("builtins.open", "io.open", "codecs.open", "shutil.*", "tempfile.*", "sqlite3.*", "aiofiles.*"),
        *_names(
            "os", "open listdir scandir walk fwalk stat lstat access remove unlink rename renames replace"
        ),
        *_names("os", "mkdir makedirs rmdir removedirs chmod chown link symlink readlink utime truncate"),
        *_names("os.path", "exists lexists isfile isdir islink ismount getsize getmtime getctime getatime"),
        *_names("os.path", "realpath samefile"),
        *_names(A_PATH, "read_text read_bytes write_text write_bytes open exists is_file is_dir is_symlink"),
        *_names(A_PATH, "iterdir glob rglob walk stat lstat mkdir rmdir unlink rename replace touch chmod"),
        *_names(A_PATH, "symlink_to hardlink_to readlink owner group samefile"),
        *("glob.glob", "glob.iglob", "fileinput.*", "dbm.*", "shelve.*", "linecache.*", "mmap.mmap"),
        *("gzip.open", "bz2.open", "lzma.open", "tarfile.open", "zipfile.ZipFile"),
        *_names("pandas", "read_csv read_json read_excel read_parquet read_sql"),
        *("numpy.load", "numpy.save", "numpy.loadtxt", "configparser.ConfigParser().read"),
    ),
    NETWORK: (
        *("socket.*", "requests.*", "httpx.*", "aiohttp.*", "urllib.request.*", "urllib3.*", "http.client.*"),
        *("smtplib.*", "ftplib.*", "imaplib.*", "poplib.*", "xmlrpc.client.*", "websockets.*", "boto3.*"),
        *("paramiko.*", "redis.*", "psycopg.*", "psycopg2.*", "pymongo.*", "openai.*", "anthropic.*"),
        *("asyncio.open_connection", "asyncio.start_server"),
    ),
    "BS106": (
        *("subprocess.*", "pty.*", "pexpect.*", "webbrowser.*"),
        *_names("os", "system popen fork forkpty posix_spawn posix_spawnp kill killpg startfile"),
        *_names("os", "execl execle execlp execv execve execvp execvpe spawnl spawnlp spawnv spawnvp"),
        *("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"),
    ),
    "BS107": ("builtins.input", "getpass.getpass", "sys.stdin.*"),
    "BS109": ("builtins.id", "builtins.hash"),
    "BS110": ("builtins.eval", "builtins.exec"),
    "BS201": ("time.sleep",),
    "BS202": (
        *("threading.Thread", "threading.Timer", "_thread.start_new_thread", "concurrent.futures.*"),
        *_names("multiprocessing", "Process Pool Manager Queue Pipe pool.*"),
        *("asyncio.to_thread", "asyncio.run_coroutine_threadsafe", "anyio.to_thread.*", "joblib.Parallel"),
    ),
    "BS208": ("asyncio.run", "asyncio.Runner", "asyncio.new_event_loop"),
    "BS601": (
        *("builtins.print", "sys.stdout.write", "sys.stderr.write", "pprint.pprint", "rich.print"),
        *_names("logging", LEVELS),
        *_names("logging.getLogger()", LEVELS),
    ),
}
BY_NAME = {name: code for code, names in CALLS.items() for name in names}
# These need no call.
VALUES = {"os.environ": "BS103", "os.environb": "BS103", "sys.argv": "BS103", "sys.orig_argv": "BS103"}
# They give the time only when they are not given one: how many arguments they need for that.
FULL = {"time.localtime": 1, "time.gmtime": 1, "time.ctime": 1, "time.asctime": 1, "time.strftime": 2}
# With a seed they give the same each time.
SEEDED = frozenset(
    {"random.Random", "numpy.random.default_rng", "numpy.random.RandomState", "numpy.random.SeedSequence"}
)
HARMLESS = frozenset(
    {"subprocess.list2cmdline", "secrets.compare_digest", "shutil.ignore_patterns", "socket.inet_aton"}
    | {"socket.inet_ntoa", "socket.htons", "concurrent.futures.as_completed", "concurrent.futures.wait"}
    | {"sqlite3.complete_statement", "httpx.URL", "httpx.Timeout", "httpx.Limits", "httpx.Headers"}
    | {"requests.Request", "aiohttp.ClientTimeout", "numpy.random.PCG64"}
)
# Hardly anything but a path or an event loop has methods of these names.
METHODS = {
    **dict.fromkeys(("read_text", "read_bytes", "write_text", "write_bytes", "iterdir", "rglob"), FILES),
    "run_in_executor": "BS202",
}
READERS = frozenset({"builtins.open", "io.open", "codecs.open"})
LOADED = frozenset({"read_text", "read_bytes", "exists", "is_file", "is_dir", "open", "isfile", "isdir"})


def reaches_out(place: Place) -> Iterator[tuple[ast.AST, str, str]]:
    """What a call, a function that is handed on, or a value of the environment reaches for."""
    node = place.node
    if isinstance(node, ast.Call):
        yield from _called(node, place)
    elif isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
        name = place.dotted(node)
        code = None if _is_alias(node, place) else VALUES.get(name)
        code = code or (code_of(name) if _is_handed_on(node, place) else None)
        if code:
            yield node, code, in_words(node)


def _is_handed_on(node: ast.AST, place: Place) -> bool:
    """An argument of a call: a function that somebody else will call."""
    parent = place.module.parent_of(node)
    return isinstance(parent, ast.keyword) or (isinstance(parent, ast.Call) and node in parent.args)


def _is_alias(node: ast.AST, place: Place) -> bool:
    """The right side of ``environ = os.environ``: what is done with the name is found where it is done."""
    return node in place.module.named


def _called(node: ast.Call, place: Place) -> Iterator[tuple[ast.AST, str, str]]:
    name = place.dotted(node.func)
    code = code_of(name, node) if name else _code_of_method(node, place) or _code_of_any(node, place)
    if name == "os.path.abspath" and _is_relative(node.args[:1]):
        code = ENVIRONMENT
    if code == FILES and place.is_at_import and _only_reads(name, node):
        code = "BS111"
    if code:
        yield node, code, f"{in_words(node.func)}()"


def _is_relative(path: list[ast.expr]) -> bool:
    """It is written down, so the folder in which the process happens to be is put before it."""
    text = getattr(path[0], "value", None) if path else None
    return isinstance(text, str) and not text.startswith("/")


def _code_of_any(node: ast.Call, place: Place) -> str | None:
    """Of one function of several, as a table has them, when each of them reaches out."""
    names = [each.name if isinstance(each, External) else "" for each in place.meanings(node.func)]
    codes = [code_of(name, node) for name in names]
    return codes[0] if codes and all(codes) else None


def code_of(name: str, call: ast.Call | None = None) -> str | None:
    """The rule that something of this name breaks when it is called, or handed on if there is no call."""
    if name in HARMLESS or (name in SEEDED and (call is None or call.args or call.keywords)):
        return None
    if name in FULL:
        return "BS101" if call is not None and len(call.args) < FULL[name] else None
    if name in BY_NAME:
        return BY_NAME[name]
    parts = name.split(".")
    if "()" in name:
        # What is called on something that was made is found where that is made.
        return METHODS.get(parts[-1]) if call is not None else None
    prefixes = [".".join(parts[:end]) for end in range(len(parts) - 1, 0, -1)]
    found = next((BY_NAME[f"{prefix}.*"] for prefix in prefixes if f"{prefix}.*" in BY_NAME), None)
    return None if found and _is_class_of_errors(parts[-1]) else found


def _is_class_of_errors(name: str) -> bool:
    return name.endswith(("Error", "Exception", "Expired", "Warning"))


def _code_of_method(node: ast.Call, place: Place) -> str | None:
    if not isinstance(node.func, ast.Attribute) or place.meaning(node.func) is not None:
        return None
    known = place.meaning(node.func.value)
    return METHODS.get(node.func.attr) if known is None or isinstance(known, External) else None


def _only_reads(name: str, node: ast.Call) -> bool:
    if name in READERS:
        mode = node.args[1:2] or [each.value for each in node.keywords if each.arg == "mode"]
        return not mode or getattr(mode[0], "value", "w") in ("r", "rb", "rt")
    return name.rpartition(".")[2] in LOADED or not name
