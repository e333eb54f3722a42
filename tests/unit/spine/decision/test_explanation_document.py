"""docs/explanation/how-a-request-is-judged.md: its map names files that are there."""

from __future__ import annotations

import re

import pytest

from architecture.source import PACKAGE, ROOT

PAGE = (ROOT / "docs" / "explanation" / "how-a-request-is-judged.md").read_text()
(MAP,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)


def named():
    for first, second in re.findall(r"((?:spine|edges)/[\w/*.]+)(?:, ([\w.]+))?", MAP):
        yield first
        if second:
            yield f"{first.rpartition('/')[0]}/{second}"


@pytest.mark.parametrize("path", sorted(set(named())))
def test_a_file_of_the_map_is_there(path):
    assert list(PACKAGE.glob(path))


def test_the_map_has_every_step():
    assert len(set(named())) > 15
