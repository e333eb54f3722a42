"""Whether a database of a PostgreSQL server can take a store: asked before the first row is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from holdfast.kit.db.postgres import PostgresConnection

_ASKED: Final = """
    SELECT current_setting('server_encoding'), pg_is_in_recovery(),
        current_schema() IS NOT NULL AND has_schema_privilege(current_schema(), 'CREATE')
"""


def unfit(connection: PostgresConnection) -> list[str]:
    """Return what keeps the database from taking a store, durably; usually nothing."""
    row = connection.raw.execute(_ASKED).fetchone()
    assert row is not None
    encoding, standby, creates = row
    found = [] if encoding == "UTF8" else [f"its encoding is {encoding}, not UTF8"]
    if standby:
        found.append("it is a standby, which cannot be written")
    if not creates:
        found.append("the role may not create tables in it")
    return found + connection.perils()
