"""Published test vectors. They are not part of this project: a test that needs them says so when they are absent."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

_DEFAULT = Path(__file__).parents[3] / "shared" / "vectors"


def vectors(name: str) -> Path:
    """The folder or file ``name`` of the vectors; skips the test when it is not there."""
    path = Path(os.environ.get("_HOLDFAST_VECTORS", _DEFAULT)) / name
    if not path.exists():
        pytest.skip(f"published vectors are absent: HOLDFAST_VECTORS names no folder with {name}")
    return path


def wycheproof(name: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """All cases of a Wycheproof file, each with its group."""
    document = json.loads(vectors(f"wycheproof/{name}.json").read_text())
    return [(group, case) for group in document["testGroups"] for case in group["tests"]]


def raw(text: str | None) -> bytes:
    """Base64, with nothing for ``null``."""
    return base64.b64decode(text or "")
