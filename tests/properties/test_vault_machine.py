"""The vault under any sequence of imports, changes, erasures, crashes and meddling.

It shows the present value of a live customer's field, or it refuses; it never shows an older one, another's, or none in
its place. A row that was swapped, rolled back or edited is refused, and comes back as soon as it is put right.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from holdfast.kit.clock import HOUR_US
from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.vault.records import open_fields
from holdfast.spine.vault.shred import complete, complete_unfinished, request_shred
from holdfast.spine.vault.sweep import sweep
from support.vault import CARDS, CLIENT, Killed, MortalHouse, new_vault, row

NUMBERS = st.integers(1, 4)
BALANCES = st.integers(0, 10**6).map(str)
EMAILS = st.sampled_from(["one@example.com", "two@example.com", "three@example.org"])
PHONES = st.sampled_from([f"+12025550{n}" for n in range(100, 104)])


class VaultMachine(RuleBasedStateMachine):
    """The model: per customer number the values that must be shown."""

    @initialize()
    def open(self):
        self.home = Path(tempfile.mkdtemp(prefix="holdfast-machine-"))
        self.vault = new_vault(self.home)
        self.model: dict[int, dict[str, str]] = {}
        self.imported: dict[int, dict[str, str]] = {}
        self.ids: dict[int, str] = {}
        self.erased: set[int] = set()
        self.copies: list[tuple[int, tuple]] = []

    def teardown(self):
        self.vault.close()
        shutil.rmtree(self.home)

    def take_in(self, number, given):
        result = self.vault.write(given)
        if number in self.erased:
            assert result.suppressed == 1
        elif self.imported.get(number) == given:
            assert result.unchanged == 1
        else:
            assert (result.new, result.changed) == ((0, 1) if number in self.model else (1, 0))
            self.imported[number], self.model[number] = given, dict(given)
            self.ids[number] = self.vault.customer(number)

    @rule(number=NUMBERS, balance=BALANCES, email=EMAILS, phone=PHONES, card=st.sampled_from(CARDS))
    def import_row(self, number, balance, email, phone, card):
        self.take_in(number, row(number, balance=balance, email=email, phone=phone, card=card))

    @precondition(lambda self: self.imported)
    @rule(data=st.data())
    def import_the_same_again(self, data):
        number = data.draw(st.sampled_from(sorted(self.imported)))
        self.take_in(number, self.imported[number])

    @rule(number=NUMBERS, balance=BALANCES, lives=st.integers(1, 30))
    def die_while_importing(self, number, balance, lives):
        given = row(number, balance=balance)
        house = MortalHouse(self.vault.house, lives)
        try:
            with self.vault.writer(house=house) as writer:
                writer.write([given])
        except Killed:
            pass
        # whatever was committed, running it again ends in the same state
        self.vault.reopen()
        result = self.vault.write(given)
        assert result.rejected == ()
        if number not in self.erased and self.imported.get(number) != given:
            self.imported[number], self.model[number] = given, dict(given)
            self.ids[number] = self.vault.customer(number)

    @precondition(lambda self: self.model)
    @rule(data=st.data(), email=EMAILS, phone=PHONES)
    def change(self, data, email, phone):
        number = data.draw(st.sampled_from(sorted(self.model)))
        self.vault.update(number, email=email, phone=phone)
        self.model[number] |= {"email": email, "phone": phone}

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def erase(self, data):
        number = data.draw(st.sampled_from(sorted(self.model)))
        vault = self.vault
        work = request_shred(vault.keys, self.ids[number], by="p", now_us=vault.clock.now_us())
        operation = vault.house.transact(work)
        try:
            complete(MortalHouse(vault.house, data.draw(st.integers(1, 25))), CLIENT, operation)
        except Killed:
            assert complete_unfinished(vault.house) == 1
        self.erased.add(number)
        del self.model[number]
        self.imported.pop(number)

    @rule(hours=st.integers(0, 2))
    def sweep(self, hours):
        self.vault.clock.advance(hours * HOUR_US)
        sweep(self.vault.house)

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def keep_a_copy_of_a_row(self, data):
        number = data.draw(st.sampled_from(sorted(self.model)))
        self.copies.append((number, self.stored(number)))

    def stored(self, number):
        columns = "version, body, operation, id"
        return self.vault.sql(
            f"SELECT {columns} FROM vault_record WHERE customer = ?", self.ids[number]
        )[0]

    def store(self, number, version, body, operation):
        self.vault.sql(
            "UPDATE vault_record SET version = ?, body = ?, operation = ? WHERE customer = ?",
            version,
            body,
            operation,
            self.ids[number],
        )

    def refused(self, number):
        with pytest.raises(IntegrityBroken):
            self.shown(number)

    @precondition(lambda self: self.copies)
    @rule(data=st.data())
    def roll_a_row_back(self, data):
        number, old = data.draw(st.sampled_from(self.copies))
        if number in self.model:
            now = self.stored(number)
            if old[:3] != now[:3] and old[3] == now[3]:
                self.store(number, *old[:3])
                self.refused(number)
                self.store(number, *now[:3])

    @precondition(lambda self: len(self.model) > 1)
    @rule(data=st.data())
    def swap_two_rows(self, data):
        one, other = data.draw(st.permutations(sorted(self.model)))[:2]
        mine, its = self.stored(one), self.stored(other)
        self.store(one, *its[:3])
        self.refused(one)
        self.store(one, mine[0], its[1], mine[2])
        self.refused(one)
        self.store(one, *mine[:3])

    @precondition(lambda self: self.model)
    @rule(data=st.data(), at=st.integers(0, 10_000), flip=st.integers(1, 255))
    def edit_a_row(self, data, at, flip):
        number = data.draw(st.sampled_from(sorted(self.model)))
        version, body, operation, _ = self.stored(number)
        at %= len(body)
        self.store(
            number, version, body[:at] + bytes((body[at] ^ flip,)) + body[at + 1 :], operation
        )
        self.refused(number)
        self.store(number, version, body, operation)

    def shown(self, number):
        customer = self.ids[number]
        (loaded,) = self.vault.load(customer)
        fields = ("name", "email", "balance", "phone")
        return open_fields(self.vault.permit(customer, *fields), loaded, self.vault.schema)

    @invariant()
    def what_is_shown_is_what_is_meant(self):
        for number, values in getattr(self, "model", {}).items():
            shown = {name: box.reveal() for name, box in self.shown(number).items()}
            expected = {name: values[name] for name in ("name", "email", "balance")}
            assert shown == expected | {"phone": "••••••••" + values["phone"][-2:]}

    @invariant()
    def who_is_erased_has_no_row(self):
        for number in getattr(self, "erased", ()):
            assert self.vault.load(self.ids[number]) == []
            count = self.vault.sql(
                "SELECT COUNT(*) FROM keyring_index WHERE customer = ?",
                self.ids[number],
                store="keys",
            )
            assert count == [(0,)]


TestVaultMachine = VaultMachine.TestCase
TestVaultMachine.settings = settings(
    max_examples=25, stateful_step_count=18, suppress_health_check=[HealthCheck.too_slow]
)
