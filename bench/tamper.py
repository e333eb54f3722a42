"""W6: somebody who can write the stores but has no key: ``python -m bench.tamper [TIMES]``.

A bit of a sealed field is flipped, two rows are swapped, a row is rolled back, a leaf of the client's bundle is edited.
Measured is the time until it is noticed, and by whom: for the rows the very next look, which is refused with its leaf
durable; for the leaf the client's verifier. The workload fails if anything goes unnoticed.
"""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from bench.house import BenchHouse
from bench.result import Cpu, Line, Measured, quantiles_ms
from bench.workload import Workload, command
from holdfast.drills.bank.build import CLIENT, COLLECTION
from holdfast.spine.identity.credentials import hash_secret
from holdfast.spine.ledger.export import export_bundle
from holdfast.spine.ledger.files import log_folder
from holdfast.spine.ledger.note import parse_vkey
from holdfast.spine.ledger.registrar import Registrar
from holdfast.spine.ledger.verify import Given, Outcome, verify_bundle
from holdfast.spine.ledger.verify.history import UserMemory
from holdfast.spine.operations.reveal import reveal
from holdfast.spine.turn.answers import Asked, Refused, Revealed
from holdfast.spine.vault.packing import unpack
from holdfast.vocabulary.ids import client_log
from support.stores import raw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bench.workload import Run

LOG = client_log(CLIENT)
FIELDS = ("name", "phone", "email")
_ROW = "SELECT version, body, operation FROM vault_record WHERE customer = ?"
_WRITE = "UPDATE vault_record SET version = ?, body = ?, operation = ? WHERE customer = ?"
Row = tuple[Any, ...]


class Intruder:
    """The bank's house, and somebody with the database."""

    def __init__(self, run: Run) -> None:
        self.bench = BenchHouse(run, agents=2)
        self.bench.connect_all()
        self.one, self.other = (self.bench.customers[f"C{n:05d}"] for n in (1, 2))
        self.older = self.row(self.one)
        self.bench.add_customers([1], email="new@example.com")

    def sql(self, text: str, *params: Any) -> list[Row]:
        """Run SQL on the data store."""
        with self.bench.house.stores() as stores:
            found: list[Row] = raw(stores.data, text, params)
            return found

    def row(self, customer: str) -> Row:
        """The only record of a customer, as it is stored."""
        return self.sql(_ROW, customer)[0]

    def write(self, customer: str, row: Row) -> None:
        """Put a row in the place of a customer's record."""
        self.sql(_WRITE, *row, customer)

    @contextmanager
    def changed(self, rows: dict[str, Row]) -> Iterator[None]:
        """Write rows, and put back what was there."""
        before = {customer: self.row(customer) for customer in rows}
        for customer, row in rows.items():
            self.write(customer, row)
        yield
        for customer, row in before.items():
            self.write(customer, row)

    def look(self) -> Any:
        """The first agent looks at their customer."""
        bench = self.bench
        asked = Asked(
            client=CLIENT,
            collection=COLLECTION,
            contact="CT-1",
            secret_hash=hash_secret(bench.token(bench.agents[0])),
            peer="127.0.0.1",
        )
        return bench.house.transact(reveal(bench.house, asked, self.one, FIELDS))

    # ── what is done ────────────────────────────────────────────────────────────────────────────────────────────

    def flipped(self) -> dict[str, Row]:
        """One bit of one sealed field."""
        version, body, operation = self.row(self.one)
        packed = unpack(bytes(body))
        number, field_version, sealed = packed.sections[0].fields[0]
        altered = bytes((sealed[0], *sealed[1:-1], sealed[-1] ^ 1))
        packed.sections[0].fields[0] = (number, field_version, altered)
        return {self.one: (version, msgspec.msgpack.encode(packed), operation)}

    def swapped(self) -> dict[str, Row]:
        """The records of two customers, each in the other's place."""
        return {self.one: self.row(self.other), self.other: self.row(self.one)}

    def rolled_back(self) -> dict[str, Row]:
        """The record as it was before its last change."""
        return {self.one: self.older}


def noticed(run: Run, intruder: Intruder, what: str, rows: Callable[[], dict[str, Row]]) -> Line:
    """Tamper, look, put back; the time is that from the tampering to the refusal."""
    times, spent = [], []
    for _ in range(run.count):
        with intruder.changed(rows()):
            with run.metered(here=True) as looking:
                answer = intruder.look()
            times.append(looking.wall_s)
            spent.append(looking.cpu)
        if not isinstance(answer, Refused) or answer.reasons[0].rule != "vault.integrity":
            raise SystemExit(f"{what}: it was not noticed: {type(answer).__name__}")
        if not isinstance(intruder.look(), Revealed):
            raise SystemExit(f"{what}: the record is still refused when it is put back")
    cpu = Cpu.together(spent)
    return Line(
        what=what, operations=run.count, wall_s=sum(times), cpu_s=cpu, **quantiles_ms(times)
    )


def edited_leaf(run: Run, intruder: Intruder) -> tuple[Line, list[str]]:
    """Edit a leaf of the client's bundle and verify it; also the codes of what was found."""
    house = intruder.bench.house
    registrar = Registrar(house, house.signing_keys)
    registrar.tick()
    registrar.close()
    vkeys = house.signing_keys.vkeys(LOG)
    given = Given(UserMemory(run.folder / "state"), 0, tuple(map(parse_vkey, vkeys)))
    honest = run.folder / "honest"
    export_bundle(log_folder(house.home, LOG), honest, vkeys=vkeys)
    if verify_bundle(honest, given).outcome is not Outcome.AUTHENTIC:
        raise SystemExit("the honest bundle does not verify")
    forged = run.folder / "forged"
    shutil.copytree(honest, forged)
    _edit(forged)
    times, codes = [], set()
    with run.metered(here=True) as spent:
        for _ in range(run.count):
            begun = time.perf_counter()
            report = verify_bundle(forged, given)
            times.append(time.perf_counter() - begun)
            codes |= {finding.code for finding in report.findings}
            if report.outcome is not Outcome.BROKEN:
                raise SystemExit("a leaf was edited, and the bundle still verifies")
    what = "an edited leaf, until the client's verifier says so"
    wall = sum(times)
    line = Line(
        what=what, operations=run.count, wall_s=wall, cpu_s=spent.cpu, **quantiles_ms(times)
    )
    return line, sorted(codes)


def _edit(bundle: Path) -> None:
    """Let the first decision have been taken twice."""
    for path in sorted(path for path in (bundle / "tile/entries").rglob("*") if path.is_file()):
        content = path.read_bytes()
        edited = content.replace(b'"count":1,', b'"count":2,', 1)
        if edited != content:
            path.write_bytes(edited)
            return
    raise SystemExit("the bundle holds no decision to edit")


def measure(run: Run) -> Measured:
    """Do each, several times."""
    intruder = Intruder(run)
    if not isinstance(intruder.look(), Revealed):
        raise SystemExit("the honest record is refused")
    look = "until the next look is refused"
    lines = [
        noticed(run, intruder, f"a bit of a sealed field, {look}", intruder.flipped),
        noticed(run, intruder, f"two rows swapped, {look}", intruder.swapped),
        noticed(run, intruder, f"a row rolled back, {look}", intruder.rolled_back),
    ]
    line, codes = edited_leaf(run, intruder)
    intruder.bench.house.close()
    signals = "rows: by the first look at them (refused for `vault.integrity`, a signal in the log)"
    said = [signals, f"an edited leaf: by `holdfast verify` ({', '.join(codes)})"]
    return Measured(lines=(*lines, line), details={"findings": said})


WORKLOAD = Workload(
    module="tamper",
    title="tampering with rows and leaves, all of it noticed",
    measure=measure,
    amount=30,
    quick=2,
    unit="times",
)

if __name__ == "__main__":
    command(WORKLOAD)
