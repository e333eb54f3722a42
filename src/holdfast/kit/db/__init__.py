"""Named SQL for two dialects, and rounds of it that a synchronous or an asynchronous shell can run."""

from holdfast.kit.db.statements import Query, Round, Row, Rows, Statement, Work, statement

__all__ = ["Query", "Round", "Row", "Rows", "Statement", "Work", "statement"]
