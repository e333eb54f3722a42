"""The ``[[export]]`` tables of a contract: reading them, and whether their names lead somewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from holdfast.kit.crypto.hpke import read_public
from holdfast.spine.decision.contract_fields import named_fields
from holdfast.vocabulary.contract import HOURS_EXPORT, Export
from holdfast.vocabulary.levels import Handling

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.spine.decision.toml import Document, Table
    from holdfast.vocabulary.contract import Contract
    from holdfast.vocabulary.schema import CollectionSchema

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
MOST_ROWS: Final = 1_000_000
MOST_HOURS: Final = 30 * 24


def read_exports(root: Table) -> dict[str, Export]:
    """Read all exports; :class:`~holdfast.kit.errors.InvalidInput` names key and line of what is wrong."""
    found: dict[str, Export] = {}
    for table in root.tables("export"):
        ident = table.text("id", form=_ID)
        export = Export(
            id=ident,
            label=table.text("label", ident, most=120),
            fields=_sets(table, "fields"),
            masked=_sets(table, "masked"),
            recipients=_recipients(table),
            reasons=table.texts("reasons", form=_ID),
            rows_at_most=table.number("rows_at_most", 0, least=1, most=MOST_ROWS),
            hours=table.number("hours", HOURS_EXPORT, least=1, most=MOST_HOURS),
            clause=table.text("clause", ""),
        )
        table.done()
        for key, given in (
            ("fields", export.fields),
            ("reasons", export.reasons),
            ("rows_at_most", export.rows_at_most),
        ):
            if not given:
                table.fail(key, f"an export needs {key}")
        for collection, names in export.masked.items():
            odd = sorted(names - export.fields.get(collection, frozenset()))
            if odd:
                table.fail("masked", f'"{odd[0]}" is not among the fields of this export')
        if ident in found:
            table.fail("id", f'a second export "{ident}"')
        found[ident] = export
    return found


def _sets(table: Table, key: str) -> dict[str, frozenset[str]]:
    return {name: frozenset(fields) for name, fields in table.lists(key, form=_NAME).items()}


def _recipients(table: Table) -> dict[str, str]:
    found: dict[str, str] = {}
    for recipient in table.tables("recipients"):
        ident = recipient.text("id", form=_ID)
        key = recipient.text("key")
        recipient.done()
        try:
            read_public(key)
        except ValueError as error:
            recipient.fail("key", str(error))
        if found.setdefault(ident, key) != key:
            recipient.fail("id", f'a second key of "{ident}"')
    if not found:
        table.fail("recipients", "an export needs at least one recipient")
    return found


def check_export_fields(
    document: Document, contract: Contract, schemas: Mapping[str, CollectionSchema]
) -> None:
    """Refuse fields that the client does not have, or that nobody ever sees."""
    for n, export in enumerate(contract.exports.values(), 1):
        where = (f"export[{n}]", "fields")
        for at, _, spec in named_fields(document, where, export.fields, schemas):
            if spec.handling is Handling.VERIFY_ONLY:
                document.fail(
                    at, f'"{spec.name}" is only ever compared; it does not leave the vault'
                )
