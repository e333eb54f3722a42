"""The ``[incident]`` table of a contract: what may be kept of the erased, to tell them of a breach (SPINE 19)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from holdfast.spine.decision.contract_fields import named_fields
from holdfast.vocabulary.levels import DataClass, Handling

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.spine.decision.toml import Document, Table
    from holdfast.vocabulary.contract import Contract
    from holdfast.vocabulary.schema import CollectionSchema, FieldSpec

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


def read_notify(root: Table) -> dict[str, frozenset[str]]:
    """Read ``notify``; :class:`~holdfast.kit.errors.InvalidInput` names key and line of what is wrong."""
    table = root.table("incident")
    found = {name: frozenset(fields) for name, fields in table.lists("notify", form=_NAME).items()}
    table.done()
    return found


def may_be_kept(spec: FieldSpec) -> bool:
    """Whether a field can be kept at all: only what the schema ever shows in clear, and never C4."""
    return spec.handling is Handling.CLEAR and spec.data_class < DataClass.C4


def check_notify_fields(
    document: Document, contract: Contract, schemas: Mapping[str, CollectionSchema]
) -> None:
    """Refuse fields that the client does not have, or that may not be kept."""
    for at, _, spec in named_fields(document, ("incident", "notify"), contract.notify, schemas):
        if not may_be_kept(spec):
            document.fail(
                at,
                f'"{spec.name}" is {spec.data_class.name} and {spec.handling.value}; only fields that are shown in'
                " clear, and none of C4, are kept after an erasure",
            )
