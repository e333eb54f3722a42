"""Tables of feeds, declared for migrations. At run time they are read and written by ``store.py`` only.

No table holds a body, a customer's identifier or a contact's own id.
"""

from __future__ import annotations

from django.db import models


class Feed(models.Model):
    """A registered feed: what it may speak for. Lists are comma-joined words, empty meaning all of the client's."""

    name = models.TextField(primary_key=True)
    client = models.TextField()
    types = models.TextField()
    programmes = models.TextField()
    sites = models.TextField()
    zone = models.TextField()
    adaptor = models.TextField()
    digest_key = models.BinaryField()  # sealed
    created_us = models.BigIntegerField()

    class Meta:
        """How the table is called."""

        db_table = "signals_feed"


class FeedKey(models.Model):
    """A signing key of a feed, sealed under the house's root."""

    pk = models.CompositePrimaryKey("feed", "kid")
    feed = models.TextField()
    kid = models.TextField()
    sealed = models.BinaryField()
    made_by = models.TextField(default="")  # persons who may have seen the secret: "per_1,per_2"
    created_us = models.BigIntegerField()
    retired_us = models.BigIntegerField(null=True)

    class Meta:
        """How the table is called."""

        db_table = "signals_feed_key"


class Event(models.Model):
    """An event that was taken in, remembered for seven days; ``digest`` is keyed."""

    pk = models.CompositePrimaryKey("feed", "event_id")
    feed = models.TextField()
    event_id = models.TextField()
    digest = models.BinaryField()
    seen_us = models.BigIntegerField()

    class Meta:
        """How the table is called, and the look-up of what may be forgotten."""

        db_table = "signals_event"
        indexes = [models.Index(fields=("seen_us",), name="signals_event_seen")]


class DeadLetter(models.Model):
    """A line that was not taken in: when, where in its batch, why, and which field was wrong."""

    id = models.TextField(primary_key=True)
    feed = models.TextField()
    client = models.TextField()
    at_us = models.BigIntegerField()
    line = models.BigIntegerField()
    reason = models.TextField()
    field = models.TextField()

    class Meta:
        """How the table is called, and its look-ups."""

        db_table = "signals_dead_letter"
        indexes = [
            models.Index(fields=("client", "feed", "at_us"), name="signals_dead_letter_of"),
            models.Index(fields=("at_us",), name="signals_dead_letter_at"),
        ]


class Pace(models.Model):
    """How a feed speaks, in one quarter of the day; see :class:`holdfast.spine.signals.pace.Pace`."""

    pk = models.CompositePrimaryKey("feed", "site", "quarter")
    feed = models.TextField()
    site = models.TextField()
    quarter = models.BigIntegerField()
    received_us = models.BigIntegerField()
    gap_us = models.BigIntegerField()
    gaps = models.BigIntegerField()
    lag_us = models.BigIntegerField()
    lags = models.TextField()
    heard = models.BigIntegerField()

    class Meta:
        """How the table is called."""

        db_table = "signals_pace"


class Tally(models.Model):
    """How often a feed gave a signal in one minute: one leaf a minute stands for all of them."""

    pk = models.CompositePrimaryKey("feed", "signal", "minute")
    feed = models.TextField()
    signal = models.TextField()
    minute = models.BigIntegerField()
    count = models.BigIntegerField()

    class Meta:
        """How the table is called."""

        db_table = "signals_tally"
