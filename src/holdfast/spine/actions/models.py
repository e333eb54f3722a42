"""Tables of actions, declared for migrations. At run time they are read and written by ``store.py`` only."""

from __future__ import annotations

from django.db import models


class Permit(models.Model):
    """An action that was permitted once: for one target, for a minute. ``outcome`` is what the target said of it."""

    id = models.TextField(primary_key=True)
    client = models.TextField()
    decision = models.TextField()
    action = models.TextField()
    target = models.TextField()  # empty: done in the vault alone
    customer = models.TextField()
    digest = models.TextField()  # SHA-256 of the permit, hexadecimal; the permit itself is not kept
    issued_us = models.BigIntegerField()
    expires_us = models.BigIntegerField()
    outcome = models.TextField()  # empty | claimed | done | failed | not_done
    claimed_us = models.BigIntegerField(null=True)
    settled_us = models.BigIntegerField(null=True)
    missed_us = models.BigIntegerField(null=True)  # when nothing had been heard for ten minutes

    class Meta:
        """How the table is called, and the look-ups for the count of a day and for what was never reported."""

        db_table = "actions_permit"
        indexes = [
            models.Index(
                fields=("client", "customer", "action", "issued_us"), name="actions_permit_day"
            ),
            models.Index(fields=("issued_us",), name="actions_permit_age"),
        ]


class Quarantine(models.Model):
    """A value that was changed a short while ago: until then it proves nothing about who is calling."""

    pk = models.CompositePrimaryKey("client", "customer", "collection", "field")
    client = models.TextField()
    customer = models.TextField()
    collection = models.TextField()
    field = models.TextField()
    number = models.BigIntegerField()  # of the field, as the blind index knows it
    until_us = models.BigIntegerField()

    class Meta:
        """How the table is called, and the look-up by age."""

        db_table = "actions_quarantine"
        indexes = [models.Index(fields=("until_us",), name="actions_quarantine_age")]


class Export(models.Model):
    """One export, from its request to its end. It names customers by id and fields by name; it holds no value."""

    id = models.TextField(primary_key=True)
    client = models.TextField()
    state = models.TextField()  # waiting | done | failed | expired
    collection = models.TextField()
    fields = models.TextField()  # JSON
    customers = models.TextField()  # JSON; null for all, and once it is over
    recipient = models.TextField()
    key = models.TextField()
    reason = models.TextField()
    person = models.TextField()
    rows = models.BigIntegerField()
    digest = models.TextField()  # SHA-256 of the file
    salt = models.BinaryField()
    created_us = models.BigIntegerField()
    expires_us = models.BigIntegerField()

    class Meta:
        """How the table is called, and the look-up of what is over."""

        db_table = "actions_export"
        indexes = [
            models.Index(fields=("client", "created_us"), name="actions_export_client"),
            models.Index(fields=("state", "expires_us"), name="actions_export_over"),
        ]
