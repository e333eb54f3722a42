"""Which field each cell of a file's rows is."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from holdfast.kit.errors import InvalidInput
from holdfast.procedures.classification.rules.dialect import NDJSON
from holdfast.procedures.classification.rules.headers import (
    fold_header,
    match_header,
    match_keys,
    shown,
)
from holdfast.spine.vault.schema_rules import forbidden

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.procedures.classification.services.reading import Source
    from holdfast.procedures.classification.services.rows import Batch
    from holdfast.vocabulary.schema import CollectionSchema

_MOST_LEFT_OUT: Final = 100


class Columns:
    """Gives the rows of a file as mappings from field to text."""

    def __init__(self, source: Source, schema: CollectionSchema) -> None:
        self.source = source
        self.schema = schema
        self.left_out: tuple[str, ...] = ()
        self._absent: tuple[str, ...] = ()
        self._ignored = {fold_header(name): shown(name) for name in schema.ignore}
        self._carried: dict[str, None] = {}  # names that the schema ignores and the file carries
        self._names: tuple[str, ...] = ()
        self._pick: Any = None
        self._by_keys: dict[tuple[str, ...], dict[str, str]] = {}
        if source.dialect.kind != NDJSON:
            found = match_header(source.header, schema)
            self.left_out = found.left_out
            self._carry(source.header)
            self._names = found.names
            # itemgetter of one place gives no tuple; the first place twice is harmless.
            self._pick = itemgetter(*found.positions, *found.positions[:1])

    def rows(self, batch: Batch) -> list[dict[str, str]]:
        """Return a batch's rows by field."""
        if self._pick is not None:
            names, pick = self._names, self._pick
            return [dict(zip(names, pick(cells), strict=False)) for cells in batch.cells]
        first = not self._by_keys
        rows = [self._object(cells) for cells in batch.cells]
        if first and rows:
            self._refuse_absent(rows)
        return rows

    def _object(self, cells: Mapping[str, str]) -> dict[str, str]:
        keys = tuple(cells)
        fields = self._by_keys.get(keys)
        if fields is None:
            fields = match_keys(keys, self.schema)
            if len(self._by_keys) < _MOST_LEFT_OUT:  # objects of ever new shapes are not remembered
                self._by_keys[keys] = fields
                ignored = set(self.schema.ignore)
                odd = (shown(key) for key in keys if key not in fields and key not in ignored)
                self.left_out = tuple(dict.fromkeys((*self.left_out, *odd)))[:_MOST_LEFT_OUT]
                self._carry(keys)
        return {name: cells[key] for key, name in fields.items()}

    def _carry(self, names: Sequence[str]) -> None:
        folded = map(fold_header, names)
        self._carried.update(
            (self._ignored[name], None) for name in folded if name in self._ignored
        )

    def _refuse_absent(self, rows: Sequence[Mapping[str, str]]) -> None:
        carried = {name for row in rows for name in row}
        absent = [spec for spec in self.schema.fields if spec.name not in carried]
        needed = [spec.name for spec in absent if spec.required]
        if needed:
            raise InvalidInput(
                f"the objects have no key for: {', '.join(needed)}",
                field=needed[0],
                remedy="Name the right key in the field's `columns`.",
                code="column_missing",
            )
        self._absent = tuple(spec.name for spec in absent)

    def warnings(self) -> list[str]:
        """Say what the file carries that it should not, and what it lacks."""
        found = [
            f"the file carries {name}, {'an' if what[0] in 'aeiou' else 'a'} {what}: it was not read. "
            "Ask the client not to send it."
            for name in dict.fromkeys((*self.left_out, *self._carried))
            if (what := forbidden(name))
        ]
        plain = [name for name in self.left_out if not forbidden(name)]
        if plain:
            found.append(f"columns that the schema does not know were left out: {', '.join(plain)}")
        if self._absent:
            found.append(f"the file carries no {', '.join(self._absent)}: left blank")
        return found
