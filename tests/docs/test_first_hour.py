"""The tutorial is true: each of its blocks is run as it stands, and prints what the page says."""

from __future__ import annotations

import pytest

from architecture.source import ROOT
from support import pages

PAGE = ROOT / "docs" / "tutorials" / "first-hour.md"


@pytest.mark.slow
@pytest.mark.server
def test_every_step_of_the_first_hour_does_what_the_page_says(tmp_path):
    found = list(pages.run(pages.steps(PAGE), tmp_path))
    assert len(found) > 20
    wrong = pages.wrong(found)
    assert not wrong, wrong
