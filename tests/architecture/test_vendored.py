"""Files of others are as they were published, and each is named with its licence."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = {
    path: digest
    for digest, path in re.findall(
        r"^  ([0-9a-f]{64}) (\S+)$", (ROOT / "NOTICE").read_text(), re.MULTILINE
    )
}


def test_every_file_of_others_is_named_with_its_hash():
    folders = [path for path in ROOT.glob("*/**/vendor") if ".venv" not in path.parts]
    found = {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in folder.iterdir()
        if path.suffix != ".LICENSE"
    }
    assert found == NAMED.keys()


def test_none_was_changed():
    for path, digest in NAMED.items():
        assert sha256((ROOT / path).read_bytes()).hexdigest() == digest, path


def test_each_comes_with_its_licence():
    licences = re.findall(r"\((\S+\.LICENSE)\)", (ROOT / "NOTICE").read_text())
    assert licences
    assert all((ROOT / path).stat().st_size > 300 for path in licences)
