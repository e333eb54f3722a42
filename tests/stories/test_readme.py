"""The README's excerpt is what the demo prints."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "excerpt.py"


@pytest.mark.server
def test_the_readme_shows_what_the_demo_prints() -> None:
    spec = importlib.util.spec_from_file_location("excerpt", TOOL)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    counted = re.compile(r"\d+ leaves")
    produced = counted.sub("N leaves", tool.block(tool.produce()))
    assert counted.sub("N leaves", tool.in_readme()) == produced, "run `make readme`"
