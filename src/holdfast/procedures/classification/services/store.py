"""SQL of classification: imports under way, whether a collection holds records, and keys seen within one file."""

from __future__ import annotations

from typing import Final

from holdfast.kit.db import statement

IMPORT: Final = statement(
    "classification_import",
    """SELECT file, schema, operation, position, new, changed, unchanged, suppressed, rejected, rejects,
        rejects_bytes, started_us
    FROM classification_import WHERE client = :client AND collection = :collection""",
)
START_IMPORT: Final = statement(
    "classification_start_import",
    """INSERT INTO classification_import (client, collection, file, schema, operation, position, new, changed,
        unchanged, suppressed, rejected, rejects, rejects_bytes, started_us, changed_us)
    VALUES (:client, :collection, :file, :schema, :operation, 0, 0, 0, 0, 0, 0, :rejects, 0, :now_us, :now_us)
    ON CONFLICT (client, collection) DO UPDATE SET file = excluded.file, schema = excluded.schema,
        operation = excluded.operation, position = 0, new = 0, changed = 0, unchanged = 0, suppressed = 0,
        rejected = 0, rejects = excluded.rejects, rejects_bytes = 0, started_us = excluded.started_us,
        changed_us = excluded.changed_us""",
)
SETTLE_IMPORT: Final = statement(
    "classification_settle_import",
    """UPDATE classification_import SET position = :position, new = :new, changed = :changed,
        unchanged = :unchanged, suppressed = :suppressed, rejected = :rejected, rejects_bytes = :rejects_bytes,
        changed_us = :now_us
    WHERE client = :client AND collection = :collection AND operation = :operation""",
)
END_IMPORT: Final = statement(
    "classification_end_import",
    """DELETE FROM classification_import
    WHERE client = :client AND collection = :collection AND operation = :operation""",
)
# In the keys store: every record of a collection has an import key there.
HOLDS_RECORDS: Final = statement(
    "classification_holds_records",
    "SELECT 1 FROM keyring_import_key WHERE client = :client AND collection = :collection LIMIT 1",
)

# A private temporary database, gone with the process: hashes of the keys of one file under a key that is never written.
MAKE_SEEN: Final = (
    "CREATE TABLE seen (mark INTEGER PRIMARY KEY, content INTEGER, line INTEGER) WITHOUT ROWID"
)
ADD_SEEN: Final = statement(
    "classification_add_seen",
    "INSERT INTO seen (mark, content, line) VALUES (:mark, :content, :line) ON CONFLICT (mark) DO NOTHING",
)
SEEN: Final = statement(
    "classification_seen", "SELECT mark, content, line FROM seen WHERE mark IN (:marks*)"
)
