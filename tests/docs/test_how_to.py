"""The recipes are true: their blocks are run, one after the other, on the house that the tutorial has by its step 6."""

from __future__ import annotations

import pytest

from architecture.source import ROOT
from support import pages
from support.cluster import binaries, durable_cluster

TUTORIAL = ROOT / "docs" / "tutorials" / "first-hour.md"
HOW_TO = ROOT / "docs" / "how-to"
IN_THIS_ORDER = (
    "check-a-house",
    "onboard-an-agent",
    "let-people-sign-in",
    "bind-a-token-to-a-key",
    "read-a-denial",
    "work-when-the-feed-is-late",
    "change-a-contract",
    "approve-a-look",
    "act-on-an-account",
    "check-a-permit",
    "export-records",
    "rotate-a-feed-key",
    "let-the-client-verify",
    "see-who-looked",
    "freeze-a-client",
    "erase-a-customer",
)
NOT_RUN = (
    "connect-a-directory",  # it needs a directory: see tests/stories/test_a_directory.py
    "put-it-behind-a-proxy",  # it needs a proxy, and a name with a certificate
    "run-many-processes",  # it needs hosts
    "run-on-postgresql",  # it needs servers: see tests/stories/test_a_day_by_roles.py
)
STOPPED = ("back-up-and-restore", "move-to-postgresql")  # of a house that is not served
STOP = pages.Step("the house is stopped", "kill $SERVE; wait $SERVE\n", None)


def test_every_recipe_is_listed():
    index = (HOW_TO / "README.md").read_text()
    names = {page.name for page in HOW_TO.glob("*.md")} - {"README.md"}
    assert {name for name in names if f"({name})" not in index} == set()
    assert names == {f"{name}.md" for name in (*IN_THIS_ORDER, *NOT_RUN, *STOPPED)}


@pytest.mark.slow
@pytest.mark.server
def test_every_recipe_does_what_its_page_says(tmp_path):
    served = pages.steps(TUTORIAL, until="\n## 7.")
    recipes = [step for name in IN_THIS_ORDER for step in pages.steps(HOW_TO / f"{name}.md")]
    stopped = [STOP, *pages.steps(HOW_TO / "back-up-and-restore.md"), *moving()]
    found = list(pages.run([*served, *recipes, *stopped], tmp_path))
    assert len(recipes) > 15
    wrong = pages.wrong(found)
    assert not wrong, wrong


def moving() -> list[pages.Step]:
    """The move, where there is a server to move to."""
    if binaries() is None:
        return []
    made = [durable_cluster().make(f"page_{which}") for which in ("data", "keys")]
    where = f"export TO_DATA={made[0]} TO_KEYS={made[1]}\n"
    return [
        pages.Step("there are databases", where, None),
        *pages.steps(HOW_TO / "move-to-postgresql.md"),
    ]
