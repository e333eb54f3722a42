"""The bank behind a real `holdfast serve`, by the machine's clock: requests over HTTP as a desk sends them."""

from __future__ import annotations

import atexit
import json
import shutil
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from holdfast.drills.bank.build import (
    CLIENT,
    COLLECTION,
    FEED,
    TOKEN_LIFE_US,
    customer,
    found_bank,
    import_customers,
)
from holdfast.kit.clock import SECOND_US, SystemClock, rfc3339
from holdfast.kit.config import load_settings
from holdfast.kit.ids import new_id
from holdfast.kit.secret import Secret
from holdfast.spine.house import House, open_house
from holdfast.spine.identity.credentials import issue
from holdfast.spine.signals.envelope import FeedKey, sign
from holdfast.spine.vault.roots import ROOT_FILE, FileRoot
from support.server import Answer, Server
from support.stores import copy_house, raw, template

__all__ = ["LiveBank", "customer", "lines"]


@lru_cache(maxsize=1)
def live_template() -> Path:
    """A founded bank of five customers, made once per process."""
    folder = Path(mkdtemp(prefix="holdfast-live-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    home = folder / "holdfast-house"  # a template: it stays until the run ends
    copy_house(template(), home)
    found_live(home)
    return home


def found_live(home: Path) -> None:
    """Found the bank in a house whose stores are migrated."""
    home.chmod(0o700)
    FileRoot.create(home / ROOT_FILE, None)
    for name in ("data", "keys"):
        for path in home.glob(f"{name}*"):
            path.chmod(0o600)
    house = open_house(load_settings(home, {}))
    facts = found_bank(house)
    facts["customers"] = import_customers(house, facts["admin"], [customer(n) for n in range(1, 6)])
    now = house.clock.now_us()
    admin = house.transact(issue(person=facts["admin"], life_us=TOKEN_LIFE_US, now_us=now))
    facts["admin_token"] = admin.secret.reveal()
    house.close()
    (home / "bank.json").write_text(json.dumps(facts))


class LiveBank(Server):
    """The server and what is needed to talk to it."""

    def __init__(
        self, home: Path, *arguments: str, env: dict[str, str] | None = None, founded: bool = False
    ) -> None:
        if not founded:
            copy_house(live_template(), home)
        home.chmod(0o700)
        super().__init__(home, *arguments, env=env)
        facts = json.loads((home / "bank.json").read_text())
        (home / "bank.json").unlink()
        self.customers: dict[str, str] = facts["customers"]
        self.token: str = facts["agents"]["A0001"]["token"]
        self.person: str = facts["agents"]["A0001"]["id"]
        self.other_token: str = facts["agents"]["A0002"]["token"]
        self.admin_token: str = facts["admin_token"]
        self.key = FeedKey(facts["feed_kid"], Secret(facts["feed_secret"].encode()))

    def house(self) -> House:
        """The house itself, opened beside the server; the caller closes it."""
        return open_house(load_settings(self.home, {}))

    def sql(self, text: str, *params: Any) -> list[tuple[Any, ...]]:
        """Look into the data store while the server runs."""
        house = self.house()
        with house.stores() as stores:
            rows: list[tuple[Any, ...]] = raw(stores.data, text, params)
        return rows

    def events(self, *events: dict[str, Any]) -> Answer:
        """Send events to the feed, signed now."""
        body = b"\n".join(json.dumps(event).encode() for event in events)
        signature = sign(self.key, FEED, SystemClock().now_us() // SECOND_US, body)
        return self.request("POST", f"/v1/feeds/{FEED}", body, {"Holdfast-Signature": signature})

    def event(self, kind: str, contact: str = "CT-1", **more: Any) -> dict[str, Any]:
        """An event that happens now."""
        now = SystemClock().now_us()
        return {
            "id": new_id("evt", now),
            "type": f"contact.{kind}",
            "occurred_at": rfc3339(now),
            "client": CLIENT,
            "contact": contact,
            "queue": "cards",
            **more,
        }

    def connect(self, contact: str = "CT-1", number: int = 1, **more: Any) -> None:
        """Connect a call whose caller the feed knows by telephone."""
        event = self.event(
            "connected",
            contact,
            person="A0001",
            reason="dispute",
            customer={"by": {"phone": customer(number)["phone"]}},
            **more,
        )
        answer = self.events(event)
        assert (answer.status, answer.body["accepted"]) == (200, 1), answer.raw

    def look(self, **more: Any) -> dict[str, Any]:
        """The body of a reveal; ``more`` changes or (None) removes members."""
        body = {
            "client": CLIENT,
            "collection": COLLECTION,
            "customer": self.customers["C00001"],
            "fields": ["name"],
            "purpose": {"contact": "CT-1"},
            **more,
        }
        return {name: value for name, value in body.items() if value is not None}

    def reveal(self, *fields: str, token: str = "", **headers: str) -> Answer:
        """Reveal fields of the first customer."""
        return self.post(
            "/v1/reveal", self.look(fields=list(fields)), token or self.token, **headers
        )


def lines(bank: LiveBank) -> int:
    """How many lines were written so far, sequenced or not."""
    ((count,),) = bank.sql(
        "SELECT (SELECT COUNT(*) FROM ledger_pending) + (SELECT COALESCE(SUM(size), 0) FROM ledger_tree)"
    )
    return int(count)
