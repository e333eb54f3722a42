"""Somebody reads all that a house keeps beside the vault: what was approved, done, exported, held, copied, erased.

What goes over the wire, through an import and into logs and command lines is in ``stories/test_canaries.py``.
"""

from __future__ import annotations

import pytest

from holdfast.drills.bank.build import CLIENT, import_customers
from holdfast.kit.clock import DAY_US
from holdfast.spine.ledger.export import export_bundle
from holdfast.spine.ledger.files import log_folder
from holdfast.spine.operations.holding import place
from holdfast.spine.recovery.backup import make_backup
from holdfast.spine.turn.answers import Acted, Revealed, Updated
from holdfast.spine.vault.hierarchy import client_keys
from holdfast.spine.vault.shred import complete, request_shred
from support.approving import WITH_APPROVAL, ApprovingBank, approving_bank
from support.canaries import files, where
from support.erasing import Erasing
from support.exporting import EXPORT, Exporter, new_key
from support.holding import INCIDENT, NOTIFY
from support.recovery import LOG, Restorable

NUMBER = "ZC9000417"
PLANTED = {
    "customer_no": NUMBER,
    "name": "Zyxcanary Qwvname",
    "phone": "+12025550173",
    "email": "zyxcanary@example.com",
    "address": "77 Zyxcanary Lane, Springfield",
    "postcode": "ZQ77XK",
    "acct": "0098765432101",
    "card": "4012888888881881",
    "balance": "7654321.09",
    "dob": "1931-07-29",
    "national_id": "923-45-6781",
    "segment": "retail",
}
SPOKEN = {
    "an address that was approved": "88 Zyxapproved Road, Springfield",
    "an address that was refused": "99 Zyxrefused Road, Springfield",
    "a telephone that an action set": "+12025550162",
    "a wrong date": "1932-08-30",
    "a number searched in vain": "+12025550184",
    "a caller unknown to the bank": "+12025550195",
}
CANARIES = {name: value for name, value in PLANTED.items() if name != "segment"} | SPOKEN


class Desk(ApprovingBank, Erasing):
    """Where customers' values pass through everything that a second person looks at."""


@pytest.fixture
def desk(tmp_path):
    approving_bank(tmp_path / "house").close()
    desk = Desk(tmp_path / "house", approving_bank(tmp_path / "other").clock)
    desk.keys = new_key()
    export = EXPORT.partition("\n[verification]")[0].replace("KEY", desk.keys[0])
    export = export.replace("rows_at_most = 4", "rows_at_most = 9")
    contract = WITH_APPROVAL.replace("\n[verification]", f"{export}\n[verification]", 1)
    desk.publish(f"{contract}\n{NOTIFY}")
    desk.customers |= import_customers(desk.house, desk.admin, [PLANTED])
    yield desk
    desk.close()


def call(desk, contact, reason="dispute"):
    by = {"customer": {"by": {"phone": PLANTED["phone"]}}}
    desk.connect(contact, reason=reason, **by)
    return {"contact": contact}


def a_day(desk):
    """Every operation that keeps something; each has to succeed, or there would be nothing to find."""
    desk.connect("CT-0", customer={"by": {"phone": SPOKEN["a caller unknown to the bank"]}})
    on = call(desk, "CT-1")
    desk.search(SPOKEN["a number searched in vain"], **on)
    desk.search(PLANTED["phone"], **on)
    assert not desk.verify(NUMBER, {"dob": SPOKEN["a wrong date"]}, **on).match
    fields = ("acct", "address", "balance")
    ident = desk.ask(desk.reveal(NUMBER, fields, **on))
    desk.show(ident)
    desk.granted(ident)
    assert isinstance(desk.reveal_with(ident, NUMBER, fields, key=("k1", b"d"), **on), Revealed)
    change = {"address": SPOKEN["an address that was approved"]}
    ident = desk.ask(desk.update(NUMBER, change, **on))
    desk.show(ident)
    desk.granted(ident)
    assert isinstance(desk.update_with(ident, NUMBER, change, key=("k2", b"d"), **on), Updated)
    ident = desk.ask(desk.update(NUMBER, {"address": SPOKEN["an address that was refused"]}, **on))
    desk.decide(ident, grant=False)
    on = call(desk, "CT-2", "contact-change")
    right = {name: PLANTED[name] for name in ("dob", "postcode")}
    proof = desk.verify(NUMBER, right, **on)
    assert proof.match
    values = {"phone": SPOKEN["a telephone that an action set"]}
    assert isinstance(
        desk.act(NUMBER, "change_phone", [proof.decision], values=values, **on), Acted
    )
    desk.end("CT-2")


def exported(desk):
    """All customers' names, numbers and balances, sealed for their recipient, who can read them."""
    exporter = Exporter.at(desk, desk.keys)
    done = exporter.ordered()
    exporter.run(done)
    sealed = exporter.fetch(done)
    assert PLANTED["name"] in str(exporter.opened(sealed))


def held_and_erased(desk):
    until_us = desk.clock.now_us() + 90 * DAY_US
    with desk.acting_as(desk.admin):
        desk.house.transact(place(desk.house, CLIENT, NUMBER, incident=INCIDENT, until_us=until_us))
    keys = desk.house.read(client_keys(desk.house.keks, CLIENT, desk.fence()))
    now = desk.clock.now_us()
    work = request_shred(keys, desk.customers[NUMBER], by="p_dpo", now_us=now)
    complete(desk.house, CLIENT, desk.house.transact(work))
    assert desk.sql("SELECT state FROM vault_hold") == [("kept",)]


def test_no_planted_value_stands_in_anything_that_is_kept_beside_the_vault(desk, tmp_path):
    a_day(desk)
    exported(desk)
    make_backup(desk.house, tmp_path / "backup", include=("root", "signing"))
    held_and_erased(desk)
    Restorable.publish(desk)
    vkeys = desk.house.signing_keys.vkeys(LOG)
    export_bundle(log_folder(desk.home, LOG), tmp_path / "bundle", vkeys=vkeys)
    kept = [desk.home, tmp_path / "backup", tmp_path / "bundle"]
    assert all(any(folder.rglob("*")) for folder in kept)
    assert list((desk.home / "exports").rglob("*.hfex"))
    assert where(CANARIES, files(*kept)) == []
    desk.house.close()  # and once the logs of the stores are folded in
    assert where(CANARIES, files(*kept)) == []
    assert where(CANARIES, [("a file", "".join(CANARIES.values()).encode())]), "the search finds"
