"""People who may freeze the bank, and who may not: made as an administrator makes them, with tokens bound to keys."""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from holdfast.drills.bank.build import CLIENT, CONTRACT
from holdfast.kit.ids import new_id
from holdfast.kit.secret import Secret
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.publish import By, contract_in_force, draft, publish_contract
from holdfast.spine.identity import people
from holdfast.spine.identity.references import reference_of
from holdfast.spine.identity.store import ADD_ASSIGNMENT
from holdfast.spine.operations.freeze import Step, ask_to_freeze, freeze_here
from holdfast.vocabulary.levels import AuthLevel, Role
from support.bank import Agent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.kit.db import Work
    from support.bank import Bank

USER = ("client_user",)
HOUR = 3600


def person(
    bank: Bank,
    staff_id: str,
    *,
    house: tuple[Role, ...] = (Role.CLIENT_USER,),
    roles: tuple[str, ...] = USER,
    client: str = CLIENT,
    level: AuthLevel = AuthLevel.POSSESSION,
) -> Agent:
    """Somebody with a token, assigned to the client from this moment on (no ``roles``: not assigned)."""
    ident = bank.house.transact(_add(bank, staff_id, house, roles=roles, client=client))
    found = bank.new_token(Agent(ident, staff_id, "", ""), client=client if roles else "")
    bank.sql("UPDATE identity_credential SET level = ? WHERE id = ?", int(level), found.credential)
    bank.advance(1)
    return found


def _add(
    bank: Bank, staff_id: str, house: tuple[Role, ...], *, roles: tuple[str, ...], client: str
) -> Work[str]:
    now = bank.clock.now_us()
    ident = yield from people.add_person(
        staff_id=staff_id, employer="house", roles=house, now_us=now
    )
    if roles:
        from holdfast.kit.db import Round

        row = ADD_ASSIGNMENT(
            id=new_id("asg", now),
            person=ident,
            client=client,
            programme="cards-in",
            queues="",
            roles=",".join(roles),
            starts_us=now,
            ends_us=None,
        )
        yield Round(data=(row,))
    return ident


def ask(bank: Bank, who: Agent, step: Step = Step.FREEZE, *, client: str = CLIENT) -> Any:
    """Send the request as the data plane does."""
    asked = bank.asked("", agent=who, client=client, collection="")
    return bank.house.transact(ask_to_freeze(bank.house, asked, step))


def here(bank: Bank, who: Agent, step: Step = Step.FREEZE, *, client: str = CLIENT) -> Any:
    """Run the command on the house's own machine with the person's token."""
    with acting(bank, who):
        return bank.house.transact(freeze_here(bank.house, client, step))


@contextmanager
def acting(bank: Bank, who: Agent) -> Iterator[None]:
    """Act as somebody on the command line."""
    before = bank.house.settings
    bank.house.settings = dataclasses.replace(before, token=Secret(who.token))
    try:
        yield
    finally:
        bank.house.settings = before


def publish(bank: Bank, *more: str, contract: str = CONTRACT) -> None:
    """Put a new version of the bank's contract in force."""
    text = "\n".join((contract, *more))

    def works() -> Work[Any]:
        by = By(bank.admin, lambda log: reference_of(bank.admin, log))
        before, version = yield from contract_in_force(CLIENT)
        made = draft(text, in_force=compile_contract(before, version=version))
        return (yield from publish_contract(made, by, now_us=bank.clock.now_us()))

    bank.house.transact(works())
