"""Files that survive a power cut: written beside, flushed, renamed, and the folder flushed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def fsync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_once(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write durably, but never over an existing file (``FileExistsError``): a lost key cannot be made again."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.once")
    write_durably(fresh, content, mode=mode)
    try:
        os.link(fresh, path)
    finally:
        fresh.unlink()
    fsync_folder(path.parent)


def write_durably(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Replace ``path`` by ``content`` in one step: after a crash it holds the old or the new bytes, never a mix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(fd, view) :]
        os.fsync(fd)
    finally:
        os.close(fd)
    beside.replace(path)
    fsync_folder(path.parent)


def create_file(path: Path, content: bytes) -> None:
    """Make a file that only its owner reads; ``FileExistsError`` rather than to write over one."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(fd)
