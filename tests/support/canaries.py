"""Looking for planted values, however they are spelled, in whatever a house left behind."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


def spellings(value: str) -> set[bytes]:
    """The value as it may stand in a file: as text, without signs, in hexadecimal and in base64."""
    bare = "".join(c for c in value if c.isalnum())
    texts = {value, value.lower(), value.removeprefix("+"), value.removeprefix("+1"), bare}
    found: set[bytes] = set()
    for text in texts:
        raw = text.encode()
        found |= {raw, raw.hex().encode(), text.encode("utf-16-le")}
        for lead in range(3):
            whole = base64.b64encode(b"\0" * lead + raw)
            found.add(whole[4 if lead else 0 : len(whole) - 4])
    return {one for one in found if len(one) >= 6}


def where(
    canaries: Mapping[str, str], places: Iterable[tuple[str, bytes]]
) -> list[tuple[str, str]]:
    """Which canary stands in which place."""
    return [
        (name, place)
        for place, content in places
        for name, value in canaries.items()
        if any(one in content for one in spellings(value))
    ]


def files(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """Every file under the folders."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield str(path), path.read_bytes()
