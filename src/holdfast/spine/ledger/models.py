"""Tables of the logs. Nothing but Django reads this; the queries stand in ``store.py``."""

from __future__ import annotations

from django.db import models


class Pending(models.Model):
    """A leaf that its operation committed and the sequencer has not claimed yet."""

    log = models.TextField()
    leaf = models.TextField()
    at_us = models.BigIntegerField()
    entry = models.BinaryField()
    # Of the connection that wrote it; none where nobody counts. It may be null so that SQLite adds it without making
    # the table anew, which would begin to number its rows from one again.
    lane = models.BigIntegerField(null=True)

    class Meta:
        db_table = "ledger_pending"
        indexes = [models.Index(fields=("at_us",), name="ledger_pending_newest")]


class Tree(models.Model):
    """The unsigned head of a log. ``last_us`` is the latest time of its leaves."""

    log = models.TextField(primary_key=True)
    size = models.BigIntegerField()
    root = models.BinaryField()
    last_us = models.BigIntegerField()

    class Meta:
        db_table = "ledger_tree"


class Tile(models.Model):
    """One hash tile at its widest."""

    pk = models.CompositePrimaryKey("log", "level", "n")
    log = models.TextField()
    level = models.IntegerField()
    n = models.BigIntegerField()
    width = models.IntegerField()
    body = models.BinaryField()

    class Meta:
        db_table = "ledger_tile"


class Bundle(models.Model):
    """One entry bundle at its widest; ``last_us`` is the latest time up to its last leaf; a leaf is found by it."""

    pk = models.CompositePrimaryKey("log", "n")
    log = models.TextField()
    n = models.BigIntegerField()
    width = models.IntegerField()
    last_us = models.BigIntegerField()
    body = models.BinaryField()  # last: SQLite walks through it to reach what stands behind

    class Meta:
        db_table = "ledger_bundle"
        indexes = [models.Index(fields=["log", "last_us"], name="ledger_bundle_by_time")]


class Checkpoint(models.Model):
    """The newest signed head of each day."""

    pk = models.CompositePrimaryKey("log", "day")
    log = models.TextField()
    day = models.IntegerField()
    size = models.BigIntegerField()
    note = models.BinaryField()
    at_us = models.BigIntegerField()

    class Meta:
        db_table = "ledger_checkpoint"


class Lease(models.Model):
    """Who may sequence. Each taking raises ``fence``; what an earlier holder still has in hand is refused by it.

    ``claimed`` is the highest id of a pending row that was ever claimed: a gap after it is a row that vanished.
    """

    name = models.TextField(primary_key=True)
    holder = models.TextField()
    place = models.TextField()
    fence = models.BigIntegerField()
    until_us = models.BigIntegerField()
    claimed = models.BigIntegerField()

    class Meta:
        db_table = "ledger_lease"


class Written(models.Model):
    """How many pending rows were ever written in a lane (PostgreSQL); told by the transaction that writes them."""

    lane = models.BigIntegerField(primary_key=True)
    count = models.BigIntegerField()

    class Meta:
        db_table = "ledger_written"


class Placed(models.Model):
    """How many of a lane's rows were given their places, or were told to have vanished."""

    lane = models.BigIntegerField(primary_key=True)
    count = models.BigIntegerField()

    class Meta:
        db_table = "ledger_placed"


class Clock(models.Model):
    """The house's time: its last tick, and when the wall clock was seen to be set (0: confirmed since, or never)."""

    name = models.TextField(primary_key=True)
    tick_us = models.BigIntegerField()
    stepped_us = models.BigIntegerField()
    by_s = models.BigIntegerField()
    boot = models.TextField(
        default=""
    )  # at the last tick: the machine's start, and how long it had run since
    boot_us = models.BigIntegerField(default=0)

    class Meta:
        db_table = "ledger_clock"


class Due(models.Model):
    """Something that is to be destroyed, and the leaf time at which that was asked first."""

    what = models.TextField(primary_key=True)
    first_us = models.BigIntegerField()

    class Meta:
        db_table = "ledger_due"


class Fold(models.Model):
    """A refusal of the last minute, and how many equal ones were answered with it."""

    pk = models.CompositePrimaryKey("log", "key")
    log = models.TextField()
    key = models.BinaryField()  # keyed hash of what makes refusals equal
    opened_us = models.BigIntegerField()
    decision = models.TextField()
    leaf = models.TextField()
    leaf_hash = models.BinaryField()
    entry = models.BinaryField()
    count = models.BigIntegerField()

    class Meta:
        db_table = "ledger_fold"
        indexes = [models.Index(fields=("opened_us",), name="ledger_fold_age")]
