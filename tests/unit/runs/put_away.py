"""A run that has ended, with everything in it that a run folder can have, and ways to pack it by hand."""

from __future__ import annotations

import hashlib
import json
import stat
import zipfile
from typing import TYPE_CHECKING, Any

from babysitter.runs.ended import EndedRun
from babysitter.runs.packing import pack
from tests.support.folders import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from projects import Project

    from babysitter.runs.packed import Packed

LARGE = """
async def process(inputs, ctx):
    answer = await ctx.task(ask, question="one")
    return [answer, "y" * 40_000]
"""
FOLDER, FILE = stat.S_IFDIR | 0o700, stat.S_IFREG | 0o600


def end(project: Project, name: str = "r") -> Path:
    """Make a completed run with large values, artifacts and other files; gives its folder."""
    project.create(LARGE, run_id=name)
    project.iterate(name)
    project.post("1", "x" * 40_000, name)
    project.iterate(name)
    folder = project.runs_dir / name
    for path, content in {
        "artifacts/deep/down/file.bin": bytes(range(256)) * 300,
        "artifacts/empty.txt": b"",
        "artifacts/ünï\\ code.txt": b"text",
        "quarantine/000009.json.old": b"{}",
        "notes.txt": b"of somebody's own",
        "journal/.DS_Store": b"x",
    }.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(0o640)
    (folder / "artifacts" / "hollow").mkdir()
    (folder / "artifacts" / "empty.txt").chmod(0o755)
    return folder


def packed(folder: Path) -> Packed:
    """Pack a run."""
    return pack(EndedRun(str(folder)), "0.1.0")


def archive_of(folder: Path) -> Path:
    return folder.parent / ".archive" / f"{folder.name}.zip"


def kept(folder: Path) -> dict[str, str]:
    """What a run folder holds, but caches and lock."""
    return {name: held for name, held in digest_of(folder).items() if name != "run.lock"}


def left_in(runs_dir: Path) -> list[str]:
    """The names in the folder of runs and in that of archives."""
    names = [path.name for folder in (runs_dir, runs_dir / ".archive") for path in folder.glob("*")]
    return sorted(name for name in names if name not in {".archive", ".gitignore"})


def members(archive: Path) -> dict[str, tuple[bytes, int]]:
    """What an archive holds: content and mode by name."""
    with zipfile.ZipFile(archive) as opened:
        return {info.filename: (opened.read(info), info.external_attr >> 16) for info in opened.infolist()}


def write(archive: Path, held: dict[str, tuple[bytes, int]], **about: Any) -> None:
    """Write an archive by hand, its digests mended, so that nothing but what was changed is wrong with it."""
    told = {**json.loads(held["packed.json"][0]), **about}
    files = {name: each for name, each in held.items() if not name.endswith("/") and name != "packed.json"}
    if "files" not in about:
        told["files"] = {name: hashlib.sha256(content).hexdigest() for name, (content, _) in files.items()}
    if "folders" not in about:
        told["folders"] = sorted(name[:-1] for name in held if name.endswith("/"))
    held = {**held, "packed.json": (json.dumps(told).encode(), FILE)}
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, (content, mode) in held.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            opened.writestr(info, content)


def change(archive: Path, name: str, edit: Callable[[bytes], bytes]) -> None:
    """Change a member, and its digest with it."""
    held = members(archive)
    write(archive, {**held, name: (edit(held[name][0]), held[name][1])})


def damage(archive: Path) -> None:
    """Change a byte in the content of the largest member."""
    raw = bytearray(archive.read_bytes())
    raw[raw.index(b"artifacts/deep/down/file.bin") + 200] ^= 1
    archive.write_bytes(raw)
