"""What Django's migrations write on PostgreSQL: the same tables, with references that are checked at once.

Django declares every reference DEFERRABLE, which engines that are compatible with PostgreSQL do not all know. Nothing
here relies on a check at the end of a transaction.
"""

from __future__ import annotations

from django.db.backends.postgresql import base, operations, schema


class Operations(operations.DatabaseOperations):
    """References are plain."""

    def deferrable_sql(self) -> str:
        """Say nothing of when a reference is checked: at once."""
        return ""


class SchemaEditor(schema.DatabaseSchemaEditor):
    """What Django writes of a deferred reference is left out."""

    sql_create_column_inline_fk = (
        "CONSTRAINT %(name)s REFERENCES %(to_table)s(%(to_column)s)%(deferrable)s"
    )
    sql_delete_fk = "ALTER TABLE %(table)s DROP CONSTRAINT %(name)s"


class DatabaseWrapper(base.DatabaseWrapper):
    """The backend itself: Django looks for this name."""

    ops_class = Operations
    SchemaEditorClass = SchemaEditor
