"""Somebody signs events with the house's own copy of a feed's key: each such event may open a contact."""

from __future__ import annotations

import json

from holdfast.drills.bank.build import CLIENT, FEED
from holdfast.edges.cli.feed_push import own_key
from holdfast.vocabulary.ids import client_log
from holdfast.vocabulary.levels import Role
from support.bank import new_bank
from support.freezing import acting, person


def test_the_client_reads_who_took_the_key_before_the_first_event(tmp_path):
    bank = new_bank(tmp_path / "house")
    taker = person(bank, "D0001", house=(Role.ADMIN,), roles=())
    with acting(bank, taker):
        key = bank.house.transact(own_key(bank.house, FEED))
    assert key.kid == bank.feed_key[0]
    bank.connect()
    rows = bank.sql(
        "SELECT entry FROM ledger_pending WHERE log = ? ORDER BY id", client_log(CLIENT)
    )
    leaves = [json.loads(entry) for (entry,) in rows]
    (told,) = [leaf for leaf in leaves if leaf["type"] == "feed.pushed"]
    assert (told["feed"], told["kid"]) == (FEED, key.kid)
    assert told["by"].startswith("p_")
    assert "contact.bound" not in {leaf["type"] for leaf in leaves[: leaves.index(told)]}
    bank.close()
