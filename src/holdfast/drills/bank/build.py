"""The bank's house, founded without the command line: for tests and workloads that need one in milliseconds.

People, client, collection, feed and customers are made by the same works that the commands run.
"""

from __future__ import annotations

from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from holdfast.kit.clock import SECOND_US
from holdfast.kit.db import Round
from holdfast.kit.ids import new_id
from holdfast.spine.decision.publish import By, add_client, draft
from holdfast.spine.identity import people
from holdfast.spine.identity.credentials import issue
from holdfast.spine.identity.references import reference_of
from holdfast.spine.identity.store import ADD_ASSIGNMENT
from holdfast.spine.signals.known import known_of
from holdfast.spine.signals.registry import (
    NewFeed,
    add_feed,
    add_key,
    check_feed,
    make_digest_key,
    make_key,
)
from holdfast.spine.vault import store as vault
from holdfast.spine.vault.blindindex import customer_token
from holdfast.spine.vault.hierarchy import client_keys, ensure_client_keys
from holdfast.spine.vault.keyring import store as keyring
from holdfast.spine.vault.load import load_collection
from holdfast.spine.vault.schema import compile_schema, encode_schema
from holdfast.spine.vault.writer import BatchWriter
from holdfast.vocabulary import ids
from holdfast.vocabulary.levels import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.kit.db import Work
    from holdfast.spine.house import House
    from holdfast.vocabulary.schema import CollectionSchema

CLIENT = "bank-01"
COLLECTION = "customers"
FEED = "bank-acd"
_FOLDER = files("holdfast.drills.bank")
CONTRACT = _FOLDER.joinpath("contract.toml").read_text("utf-8")
SCHEMA = _FOLDER.joinpath("schema.toml").read_text("utf-8")
TOKEN_LIFE_US = 30 * 86_400 * SECOND_US


def customer(number: int, **changes: str) -> dict[str, str]:
    """One customer of the bank; reserved ranges only."""
    return {
        "customer_no": f"C{number:05d}",
        "name": f"Robin Example{number}",
        "phone": f"+1202555{100 + number:04d}",
        "email": f"robin{number}@example.com",
        "address": f"{number} Example Street, Springfield",
        "postcode": f"{10000 + number}",
        "acct": f"00{7000000 + number}",
        "card": "4111111111111111",
        "balance": f"{100 + number}.50",
        "dob": f"1990-02-{number % 28 + 1:02d}",
        "national_id": f"900-12-{1000 + number:04d}",
        "segment": "retail",
        **changes,
    }


def found_bank(
    house: House,
    *,
    agents: Sequence[str] = ("A0001", "A0002"),
    contract: str = CONTRACT,
    schema: str = SCHEMA,
) -> dict[str, Any]:
    """Found the bank in a migrated house with a root; returns ids and secrets: admin, agents, feed_kid, feed_secret."""
    house.found_signing_keys()
    facts = house.transact(_people(house, agents))
    return facts | _client(house, facts["admin"], contract, schema)


def _people(house: House, agents: Sequence[str]) -> Work[dict[str, Any]]:
    now = house.clock.now_us()
    yield Round(data=(people.ADD_EMPLOYER(id="house", name="The house"),))
    add = partial(people.add_person, employer="house", now_us=now)
    facts: dict[str, Any] = {"admin": (yield from add(staff_id="ADM1", roles=(Role.ADMIN,)))}
    token = yield from issue(person=facts["admin"], life_us=TOKEN_LIFE_US, now_us=now)
    facts["admin_token"] = token.secret.reveal()
    facts["agents"] = {}
    for staff_id in agents:
        person = yield from add(staff_id=staff_id, roles=(Role.AGENT,))
        assign = ADD_ASSIGNMENT(
            id=new_id("asg", now),
            person=person,
            client=CLIENT,
            programme="cards-in",
            queues="",
            roles="agent",
            starts_us=now,
            ends_us=None,
        )
        yield Round(data=(assign,))
        token = yield from issue(person=person, life_us=TOKEN_LIFE_US, now_us=now)
        facts["agents"][staff_id] = {
            "id": person,
            "staff_id": staff_id,
            "token": token.secret.reveal(),
            "credential": token.id,
        }
    return facts


def _client(house: House, admin: str, contract: str, schema_text: str) -> dict[str, Any]:
    now = house.clock.now_us()
    schema = compile_schema(schema_text, name=COLLECTION)
    house.transact(ensure_client_keys(house.root, CLIENT))
    made = draft(contract, schemas={COLLECTION: schema})
    by = By(admin, partial(reference_of, admin))
    house.transact(add_client(made, by, vkey="vkey", now_us=now))
    house.transact(_collection(schema, schema_text, now))
    known = house.read(known_of(house, CLIENT))
    new = check_feed(NewFeed(FEED, CLIENT), known, ("generic",))
    digest_key = make_digest_key(house.root, FEED)
    house.transact(add_feed(new, digest_key, by=by.reference, now_us=now))
    key, sealed = make_key(house.root, FEED, now)
    house.transact(add_key(FEED, key.kid, sealed, by=by.reference, now_us=now))
    return {"feed_kid": key.kid, "feed_secret": key.secret.reveal().decode()}


def _collection(schema: CollectionSchema, text: str, now_us: int) -> Work[None]:
    yield Round(
        data=(
            vault.ADD_COLLECTION(
                client=CLIENT,
                name=schema.name,
                version=1,
                schema_toml=text,
                compiled=encode_schema(schema),
                digest=schema.digest,
                added_us=now_us,
            ),
        )
    )


def import_customers(house: House, admin: str, rows: Sequence[dict[str, str]]) -> dict[str, str]:
    """Import rows; return customer ids by customer number."""
    schema = house.read(load_collection(CLIENT, COLLECTION))
    assert schema is not None
    operation = new_id(ids.OPERATION, house.clock.now_us())
    reference = house.transact(reference_of(admin, ids.client_log(CLIENT)))
    with BatchWriter(house, CLIENT, schema, operation=operation, by=reference) as writer:
        result = writer.write(rows)
    assert not result.rejected, result
    keys = house.read(client_keys(house.keks, CLIENT, 1))
    tokens = {customer_token(keys, row["customer_no"]): row["customer_no"] for row in rows}
    return house.read(_ids(tokens))


def _ids(tokens: dict[bytes, str]) -> Work[dict[str, str]]:
    found = {}
    for token, number in tokens.items():
        (rows,) = yield Round(keys=(keyring.CUSTOMER_BY_TOKEN(client=CLIENT, token=token),))
        found[number] = rows[0][0]
    return found
