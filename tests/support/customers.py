"""Customers that do not exist, and their files in every ugly form: for tests, bench and demo.

Values come from ``holdfast.drills.demo_data``: reserved ranges only, the same for the same seed.
"""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from holdfast.drills.demo_data import HEADER, Customer, as_row, customer, customers, spoil, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = [
    "FIELDS",
    "HEADER",
    "Customer",
    "as_fields",
    "as_row",
    "canaries",
    "csv_text",
    "customer",
    "customers",
    "plain_rows",
    "spoil",
    "table",
    "write_csv",
    "write_ndjson",
]

# The fields of drills/bank/schema.toml, in their order.
FIELDS = (
    "customer_no",
    "name",
    "phone",
    "email",
    "address",
    "postcode",
    "acct",
    "card",
    "balance",
    "dob",
    "national_id",
    "segment",
)


def as_fields(one: Customer) -> dict[str, str]:
    """A customer as the bank's schema has it."""
    return {
        "customer_no": one.customer_no,
        "name": one.name,
        "phone": one.phone,
        "email": one.email,
        "address": one.address.replace("\n", ", "),
        "postcode": one.postcode,
        "acct": one.account,
        "card": one.card,
        "balance": one.balance,
        "dob": one.date_of_birth,
        "national_id": one.ssn,
        "segment": one.segment,
    }


def plain_rows(count: int, *, seed: int = 1, first: int = 0) -> Iterator[dict[str, str]]:
    """Customers as the bank's schema has them, one line each."""
    for number in range(first, first + count):
        yield as_fields(customer(number, seed))


def canaries(one: Customer) -> tuple[str, ...]:
    """What may not show up anywhere in clear: the values of classes C2 to C4, in the forms that a file has."""
    return (
        one.customer_no,
        one.account,
        one.account.replace("-", ""),
        one.card,
        one.ssn,
        one.ssn.replace("-", ""),
        one.date_of_birth,
        f"{one.born:%d/%m/%Y}",
        one.balance,
    )


def csv_text(rows: Iterable[dict[str, str]], header: Sequence[str] = FIELDS, **options: str) -> str:
    """Rows as CSV under ``header``, in its order."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, header, extrasaction="ignore", **options)  # type: ignore[arg-type]
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_csv(
    path: Path, rows: Iterable[dict[str, str]], *, encoding: str = "utf-8", **options: str
) -> Path:
    """Write rows as CSV and return the path."""
    path.write_bytes(csv_text(rows, **options).encode(encoding))
    return path


def write_ndjson(path: Path, rows: Iterable[dict[str, object]]) -> Path:
    """Write rows as NDJSON and return the path."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path
