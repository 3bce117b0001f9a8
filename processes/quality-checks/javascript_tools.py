"""Checks of a JavaScript or TypeScript project: how to see that it has them, and the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from findings import found, missing

if TYPE_CHECKING:
    from executables import Executables
    from project import Project

PROGRAMS = (".js", ".cjs", ".mjs", ".ts")
DATA = ("", ".json", ".yml", ".yaml", ".toml")
ESLINT = ["eslint.config" + ending for ending in PROGRAMS] + [
    ".eslintrc" + ending for ending in DATA + PROGRAMS
]
PRETTIER = ["prettier.config" + ending for ending in PROGRAMS]
PRETTIER += [".prettierrc" + ending for ending in DATA + PROGRAMS]
MANAGERS = (("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lock", "bun"), ("bun.lockb", "bun"))
PLACEHOLDER = "no test specified"  # what `npm init` writes
# As projects call the script that checks types, whatever by.
TYPE_SCRIPTS = (
    "typecheck",
    "type-check",
    "check-types",
    "check:types",
    "types",
    "test:types",
    "test:typescript",
)
# Tells test runners that they watch for changes to run once; npm not to ask for news.
ONCE = {"CI": "true", "NPM_CONFIG_UPDATE_NOTIFIER": "false"}


def tests(project: Project, tools: Executables) -> dict[str, Any]:
    """The project's own test script."""
    script = scripts_of(project).get("test")
    if not isinstance(script, str) or not script.strip() or PLACEHOLDER in script:
        return missing("tests", "", "no test script in package.json")
    return by_script("tests", "test", project, tools)


def scripts_of(project: Project) -> dict[str, Any]:
    scripts = project.package.get("scripts")
    return scripts if isinstance(scripts, dict) else {}


def by_script(name: str, script: str, project: Project, tools: Executables) -> dict[str, Any]:
    """A check that is a script of package.json."""
    manager = manager_of(project)
    tool = f"{manager} {script}"
    if needs_install(project):
        detail = f"the packages of the project are not installed; to install them: {manager} install"
        return missing(name, tool, detail)
    started = tools.node_tool(manager)
    if started is None:
        return missing(name, tool, f"{manager} is not installed")
    return found(name, tool, [*started, "run", script], **ONCE)


def manager_of(project: Project) -> str:
    """The package manager whose lock file lies there."""
    return next((manager for file, manager in MANAGERS if project.has(file)), "npm")


def needs_install(project: Project) -> bool:
    return bool(asked_for(project)) and not project.has("node_modules") and not project.has(".pnp.cjs")


def asked_for(project: Project) -> set[str]:
    """Names of the packages that package.json asks for."""
    tables = [project.package.get(name) for name in ("dependencies", "devDependencies")]
    return {name for table in tables if isinstance(table, dict) for name in table}


def configured(name: str, project: Project, tools: Executables) -> list[dict[str, Any]]:
    """The linter, type checker or formatter that the project uses, or the one line that it has none."""
    program, package, files, field, words, none = TOOLS[name]
    uses = field in project.package or any(map(project.has, files))
    if name == "types" and not (uses and uses_tsc(project)):
        # Editors and others read a tsconfig.json too, and without one tsc would not know what to check.
        script = next((script for script in TYPE_SCRIPTS if script in scripts_of(project)), None)
        if script is not None:
            return [by_script(name, script, project, tools)]
        uses = False
    if not uses and (name == "types" or package not in asked_for(project)):
        return [missing(name, "", f"{none} configured for JavaScript")]
    started = tools.node_tool(program)
    if started is None:
        detail = f"{program} is used but not installed; to install it: {manager_of(project)} install"
        return [missing(name, program, detail)]
    return [found(name, program, [*started, *words, *extra_words(name, project)])]


def uses_tsc(project: Project) -> bool:
    """Whether it is the project that checks by tsc: it asks for it, or calls it."""
    called = any("tsc" in str(script).split() for script in scripts_of(project).values())
    return called or "typescript" in asked_for(project)


def extra_words(name: str, project: Project) -> list[str]:
    """Keeps tsc from writing what it would write for the next time; a composite project cannot do without."""
    settings = project.read("tsconfig.json") if name == "types" else ""
    return ["--incremental", "false"] if '"incremental"' in settings and '"composite"' not in settings else []


TOOLS = {
    "lint": ("eslint", "eslint", ESLINT, "eslintConfig", ["."], "no linter"),
    "types": ("tsc", "typescript", ["tsconfig.json"], "", ["--noEmit", "-p", "."], "no type checker"),
    "format": ("prettier", "prettier", PRETTIER, "prettier", ["--check", "."], "no formatter"),
}
