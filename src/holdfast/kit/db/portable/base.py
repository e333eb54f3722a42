"""What Django's models are on PostgreSQL: the same tables as in a file, with references that are checked at once.

Django declares every reference DEFERRABLE, which engines that are compatible with PostgreSQL do not all know. Nothing
here relies on a check at the end of a transaction. JSON and times of libraries' models are text, written as they are
in a file, so that a house moves with them and is compared byte by byte; our own models have neither.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db.backends.postgresql import base, operations, schema

if TYPE_CHECKING:
    from django.db.models.expressions import Expression

_TEXTS = {"DateTimeField": "text", "JSONField": "text"}


class Operations(operations.DatabaseOperations):
    """References are plain; JSON and times are text."""

    def deferrable_sql(self) -> str:
        """Say nothing of when a reference is checked: at once."""
        return ""

    def adapt_json_value(self, value: Any, encoder: type[json.JSONEncoder] | None) -> str:
        """Write JSON as text."""
        return json.dumps(value, cls=encoder)

    def adapt_datetimefield_value(self, value: Any) -> Any:
        """Write a time as a file has it: UTC, without saying so."""
        if isinstance(value, datetime) and value.tzinfo is not None:
            value = value.astimezone(UTC).replace(tzinfo=None)
        return str(value) if isinstance(value, datetime) else value

    def get_db_converters(self, expression: Expression) -> list[Any]:
        """Read times back."""
        found: list[Any] = super().get_db_converters(expression)
        if expression.output_field.get_internal_type() == "DateTimeField":
            found.append(_time)
        return found


def _time(value: Any, _expression: object, _connection: object) -> Any:
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value


class SchemaEditor(schema.DatabaseSchemaEditor):
    """What Django writes of a deferred reference is left out."""

    sql_create_column_inline_fk = (
        "CONSTRAINT %(name)s REFERENCES %(to_table)s(%(to_column)s)%(deferrable)s"
    )
    sql_delete_fk = "ALTER TABLE %(table)s DROP CONSTRAINT %(name)s"


class DatabaseWrapper(base.DatabaseWrapper):
    """The backend itself: Django looks for this name."""

    data_types = base.DatabaseWrapper.data_types | _TEXTS
    ops_class = Operations
    SchemaEditorClass = SchemaEditor
