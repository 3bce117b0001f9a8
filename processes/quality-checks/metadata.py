"""Check what a project says about itself as a package: ``python metadata.py FOLDER``.

It reads pyproject.toml, setup.cfg and package.json. Nothing is built, imported or written.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from typing import TYPE_CHECKING, Any

from project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
NODE_NAME = re.compile(r"(@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~-][a-z0-9._~-]*")
NODE_VERSION = re.compile(r"\d+\.\d+\.\d+([-+].+)?")
ENTRY_POINT = re.compile(r"\s*([A-Za-z_][\w.]*)\s*(?::\s*([A-Za-z_][\w.]*))?\s*(\[.*\])?\s*")
# [project] may say of these that they come from elsewhere.
MAY_BE_DYNAMIC = {
    "version",
    "description",
    "readme",
    "requires-python",
    "license",
    "license-files",
    "authors",
}
MAY_BE_DYNAMIC |= {"maintainers", "keywords", "classifiers", "urls", "scripts", "gui-scripts", "entry-points"}
MAY_BE_DYNAMIC |= {"dependencies", "optional-dependencies", "import-names", "import-namespaces"}
COMPILED = (".so", ".pyd", ".pyx", ".c", ".rs")


def main(root: str) -> int:
    """Print what is wrong, a line each; 1 when there is something."""
    project = Project(root)
    faults = [*pyproject_faults(project), *setup_faults(project), *package_faults(project)]
    sys.stdout.write("\n".join(faults or ["the metadata are complete"]) + "\n")
    return 1 if faults else 0


def pyproject_faults(project: Project) -> Iterator[str]:
    """What is wrong with [project], or with the older table of Poetry."""
    if not project.has("pyproject.toml"):
        return
    if not project.pyproject:
        yield "pyproject.toml: cannot be parsed, or is empty"
        return
    about = project.table("project")
    if isinstance(about, dict):
        faults = project_faults(project, about)
    elif isinstance(project.table("tool.poetry"), dict):
        faults = poetry_faults(project, project.table("tool.poetry"))
    else:
        return
    yield from (f"pyproject.toml: {fault}" for fault in faults)


def project_faults(project: Project, about: dict[str, Any]) -> Iterator[str]:
    """What the standard asks of the table [project], and whether what it names exists."""
    dynamic = about.get("dynamic", [])
    yield from name_faults(about.get("name"), "project.name")
    yield from version_faults(about, dynamic)
    for field in dynamic:
        if field not in MAY_BE_DYNAMIC:
            yield f"project.dynamic has {field!r}, which is not a field that can be dynamic"
        elif field in about:
            yield f"project.{field} is given and dynamic at the same time"
    yield from readme_faults(project, about.get("readme"))
    yield from dependency_faults(about)
    source = project.table("tool.hatch.version.path")
    if isinstance(source, str) and not project.has(source):
        yield f"tool.hatch.version.path names {source!r}, which does not exist"
    for table in ("scripts", "gui-scripts"):
        for command, target in (about.get(table) or {}).items():
            yield from entry_faults(project, f"project.{table}.{command}", target)


def poetry_faults(project: Project, about: dict[str, Any]) -> Iterator[str]:
    """The table of Poetry before 2.0."""
    if about.get("package-mode") is not False:
        yield from name_faults(about.get("name"), "tool.poetry.name")
        if not about.get("version"):
            yield "tool.poetry.version is missing"
    yield from readme_faults(project, about.get("readme"))
    for command, target in (about.get("scripts") or {}).items():
        if isinstance(target, str):
            yield from entry_faults(project, f"tool.poetry.scripts.{command}", target)


def name_faults(name: Any, place: str) -> Iterator[str]:
    if not name:
        yield f"{place} is missing"
    elif not isinstance(name, str) or not NAME.fullmatch(name):
        yield f"{place} is {name!r}; a name has letters, digits, and '-', '_', '.' between them"


def version_faults(about: dict[str, Any], dynamic: list[str]) -> Iterator[str]:
    version = about.get("version")
    if version is None and "version" not in dynamic:
        yield "project.version is missing, and project.dynamic does not have it"
    elif version is not None and (not isinstance(version, str) or not re.match(r"\s*v?\d", version)):
        yield f"project.version is {version!r}, which is not a version such as '1.2.0'"


def readme_faults(project: Project, readme: Any) -> Iterator[str]:
    """Every file that is named as the README exists."""
    named = readme.get("file") if isinstance(readme, dict) else readme
    for file in [named] if isinstance(named, str) else named or []:
        if not project.has(file):
            yield f"the readme is {file!r}, which does not exist"


def dependency_faults(about: dict[str, Any]) -> Iterator[str]:
    """Lists of texts, each of which begins with a name."""
    lists = {"project.dependencies": about.get("dependencies", [])}
    for extra, listed in (about.get("optional-dependencies") or {}).items():
        lists[f"project.optional-dependencies.{extra}"] = listed
    for place, listed in lists.items():
        if not isinstance(listed, list):
            yield f"{place} is not a list"
            continue
        for text in listed:
            if not isinstance(text, str) or not NAME.match(text.strip()):
                yield f"{place} has {text!r}, which is not a requirement such as 'click>=8.2'"


def entry_faults(project: Project, place: str, target: Any) -> Iterator[str]:
    """An entry point names a module of the project, and something that this module has."""
    match = ENTRY_POINT.fullmatch(target) if isinstance(target, str) else None
    if match is None:
        yield f"{place} is {target!r}, which is not of the form 'package.module:function'"
        return
    module, attribute = match[1], match[2]
    files = files_of(project, module)
    if not files:
        # What is installed beside it (a command that another package brings) cannot be seen here.
        if any(files_of(project, module.split(".")[0])):
            yield f"{place} names the module {module!r}, which is not among the files"
    elif attribute and not any(may_have(project.read(file), attribute.split(".")[0]) for file in files):
        yield f"{place} names {attribute!r}, which {files[0]} does not define"


def files_of(project: Project, module: str) -> list[str]:
    """Files that can be this module, wherever in the project packages lie."""
    stem = module.replace(".", os.sep)
    endings = [stem + ".py", f"{stem}/__init__.py", *(stem + ending for ending in COMPILED)]
    return [path for path in project.files if any(("/" + path).endswith("/" + ending) for ending in endings)]


def may_have(source: str, name: str) -> bool:
    """Whether a module defines a name at its top; also when that cannot be told from the text."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return True  # the syntax check reports it
    names = {getattr(node, "name", "") for node in ast.walk(tree)}
    names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    imported = [alias for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names]
    names |= {alias.asname or alias.name for alias in imported}
    return name in names or "*" in names or "__getattr__" in names


def setup_faults(project: Project) -> Iterator[str]:
    """The [metadata] of setup.cfg, where no [project] replaces them and no setup.py adds to them."""
    if "metadata" not in project.sections or project.table("project") or project.has("setup.py"):
        return
    text = project.read("setup.cfg")
    for field in ("name", "version"):
        if not re.search(rf"^\s*{field}\s*=", text, re.MULTILINE):
            yield f"setup.cfg: {field} is missing in [metadata]"


def package_faults(project: Project) -> Iterator[str]:
    """package.json: what npm asks of a package that is published."""
    if not project.has("package.json"):
        return
    about = project.package
    if not about:
        yield "package.json: cannot be parsed, or is empty"
        return
    name, version = about.get("name"), about.get("version")
    is_published = about.get("private") is not True
    if (name or is_published) and not (isinstance(name, str) and NODE_NAME.fullmatch(name)):
        yield f"package.json: name is {name!r}; what is not private needs one, in small letters"
    if (version or is_published) and not (isinstance(version, str) and NODE_VERSION.fullmatch(version)):
        yield f"package.json: version is {version!r}; what is not private needs one such as '1.2.0'"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
