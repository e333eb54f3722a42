"""How the queries of a round leave for PostgreSQL: together."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import psycopg


@asynccontextmanager
async def sent_together(pipeline: psycopg.AsyncPipeline) -> AsyncIterator[None]:
    """Keep queries back until the last one is in.

    The driver sends, and looks for answers, after each: as many system calls as queries, a third of what a round costs
    us. It has no setting for it, so its own step is left out here; at the end of the pipeline it takes it for all of
    them at once. Without this, or with a driver that knows the step by another name, the answers are the same.
    """
    vars(pipeline)["_communicate_gen"] = _later
    try:
        yield
    finally:
        del vars(pipeline)["_communicate_gen"]


def _later() -> Iterator[None]:
    return
    yield  # nothing is waited for
