"""Named SQL for two dialects, and rounds of it that a synchronous or an asynchronous shell can run."""

from holdfast.kit.db.statements import PAUSE, Query, Round, Row, Rows, Statement, Work, statement

__all__ = ["PAUSE", "Query", "Round", "Row", "Rows", "Statement", "Work", "statement"]
