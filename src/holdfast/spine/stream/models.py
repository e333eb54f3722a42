"""Tables of the stream. Nothing but Django reads this; the queries stand in ``store.py``.

They name logs as the ledger's tables do, and nobody but by a log's own references.
"""

from __future__ import annotations

from django.db import models


class Position(models.Model):
    """How far a subscriber is in a log: ``next`` is the index of the leaf that it has not seen.

    ``last_hash`` is the hash of the leaf before it, by which another log in the place of this one shows. While
    ``clearing``, rows of an earlier pass are taken away, some at a time.
    """

    pk = models.CompositePrimaryKey("subscriber", "log")
    subscriber = models.TextField()
    log = models.TextField()
    version = models.IntegerField()
    next = models.BigIntegerField()
    last_hash = models.BinaryField()
    clearing = models.IntegerField()
    tries = models.IntegerField()  # at the leaf that is next
    retry_us = models.BigIntegerField()
    code = models.TextField()  # of the last failure; never its text
    moved_us = models.BigIntegerField()

    class Meta:
        db_table = "stream_position"


class Parked(models.Model):
    """A leaf that a subscriber could not take, and passed over. Of the leaf, only its place is kept."""

    pk = models.CompositePrimaryKey("subscriber", "log", "idx")
    subscriber = models.TextField()
    log = models.TextField()
    idx = models.BigIntegerField()
    code = models.TextField()
    tries = models.IntegerField()
    at_us = models.BigIntegerField()

    class Meta:
        db_table = "stream_parked"


class Timeline(models.Model):
    """That a leaf names a reference."""

    pk = models.CompositePrimaryKey("log", "ref", "idx")
    log = models.TextField()
    ref = models.TextField()
    idx = models.BigIntegerField()
    at_us = models.BigIntegerField()
    type = models.TextField()

    class Meta:
        db_table = "stream_timeline"


class Tally(models.Model):
    """How many of a kind a log has of one day."""

    pk = models.CompositePrimaryKey("log", "day", "type", "what", "outcome", "rule")
    log = models.TextField()
    day = models.BigIntegerField()  # since the epoch
    type = models.TextField()
    what = models.TextField()  # operation, act or signal
    outcome = models.TextField()
    rule = models.TextField()  # "" counts each leaf once, a rule's id those that name it
    count = models.BigIntegerField()

    class Meta:
        db_table = "stream_tally"
        indexes = [models.Index(fields=("day",), name="stream_tally_age")]
