"""Rows that are made up from a table's declaration, to see what becomes of them."""

from __future__ import annotations

from typing import Any

import django

#: What a row has to be so that the table takes it.
VALID: dict[str, dict[str, Any]] = {
    "approvals_request": {"state": "used", "requester": "per_1"},
    "identity_credential": {"service": "crm", "person": None},
    "jobs_job": {"state": "done"},
}


def models() -> dict[str, Any]:
    """All models of all apps, by table."""
    django.setup()
    from django.apps import apps

    return {m._meta.db_table: m for m in apps.get_models() if m.__module__.startswith("holdfast.")}


def made_up(model: Any, mark: str, **given: Any) -> dict[str, Any]:
    """A row by column, whose every text and bytes are ``mark`` and whose every number is 1."""
    columns: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        kind = field.get_internal_type()
        if kind in {"CompositePrimaryKey", "BigAutoField"}:
            continue
        if kind in {"TextField", "CharField", "ForeignKey"}:
            columns[field.column] = mark
        elif kind == "BinaryField":
            columns[field.column] = mark.encode()
        else:
            columns[field.column] = None if field.null else 1
    return columns | VALID.get(model._meta.db_table, {}) | given


def insert(bank: Any, table: str, row: dict[str, Any], *, keys: bool = False) -> None:
    """Write it, as somebody with the file would."""
    marks = ", ".join("?" for _ in row)
    bank.sql(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", *row.values(), keys=keys)
