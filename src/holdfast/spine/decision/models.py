"""Tables of the decision, declared for migrations. At run time they are read and written by ``store.py`` only."""

from __future__ import annotations

from django.db import models


class Client(models.Model):
    """A client of the house. ``fence`` rises with whatever may narrow access; it keys every cache (SPINE 5)."""

    client = models.TextField(primary_key=True)
    name = models.TextField()
    state = models.TextField()  # open | closed
    contract_version = models.BigIntegerField()
    fence = models.BigIntegerField()
    added_us = models.BigIntegerField()
    # A freeze: restricts while the time is before ``frozen_until_us``, so that it ends without a job.
    frozen_us = models.BigIntegerField(default=0)
    frozen_until_us = models.BigIntegerField(default=0)
    frozen_by = models.TextField(default="")
    frozen_reason = models.TextField(default="")
    frozen_confirmed_by = models.TextField(default="")

    class Meta:
        """How the table is called."""

        db_table = "decision_client"


class Contract(models.Model):
    """One published version of a client's contract, as it was given."""

    pk = models.CompositePrimaryKey("client", "version")
    client = models.TextField()
    version = models.BigIntegerField()
    text = models.TextField()
    digest = models.TextField()
    salt = models.BinaryField()
    signature = models.TextField()
    policies_digest = models.TextField()
    published_us = models.BigIntegerField()
    by = models.TextField(db_column="published_by")

    class Meta:
        """How the table is called."""

        db_table = "decision_contract"


class Budget(models.Model):
    """What a person used of a budget in one minute."""

    pk = models.CompositePrimaryKey("client", "person", "kind", "minute")
    client = models.TextField()
    person = models.TextField()
    kind = models.TextField()
    minute = models.BigIntegerField()
    used = models.BigIntegerField()

    class Meta:
        """How the table is called, and the look-up for clearing old minutes."""

        db_table = "decision_budget"
        indexes = [models.Index(fields=("minute",), name="decision_budget_minute")]


class BudgetCustomer(models.Model):
    """A customer whom a person looked at on a day, as an HMAC whose key changes daily; inserted once."""

    pk = models.CompositePrimaryKey("client", "person", "day", "customer_mac")
    client = models.TextField()
    person = models.TextField()
    day = models.BigIntegerField()
    customer_mac = models.BinaryField()
    minute = models.BigIntegerField()

    class Meta:
        """How the table is called, and the look-up for the sliding count."""

        db_table = "decision_budget_customer"
        indexes = [
            models.Index(
                fields=("client", "person", "minute"), name="decision_budget_customer_seen"
            ),
            models.Index(fields=("minute",), name="decision_budget_customer_age"),
        ]


class VerifyAttempt(models.Model):
    """One answer compared with one field of one customer, whoever compared it."""

    id = models.TextField(primary_key=True)
    client = models.TextField()
    customer = models.TextField()
    field = models.TextField()
    contact = models.TextField()
    at_us = models.BigIntegerField()

    class Meta:
        """How the table is called, and the look-ups for the count and by age."""

        db_table = "decision_verify_attempt"
        indexes = [
            models.Index(fields=("at_us",), name="decision_verify_attempt_age"),
            models.Index(
                fields=("client", "customer", "field", "at_us"),
                name="decision_verify_attempt_count",
            ),
        ]


class Record(models.Model):
    """A decision as it was made, sealed under the client's record key of its month."""

    pk = models.CompositePrimaryKey("client", "id")
    client = models.TextField()
    id = models.TextField()
    at_us = models.BigIntegerField()
    month = models.TextField()
    person = models.TextField()  # whose decision it is: who may read it without a leaf
    leaf = models.TextField()
    leaf_hash = models.BinaryField(default=bytes)  # RFC 6962; empty for one of an older version
    salt = models.BinaryField()
    sealed = models.BinaryField()

    class Meta:
        """How the table is called, and the look-ups by id alone and by age."""

        db_table = "decision_record"
        indexes = [
            models.Index(fields=("id",), name="decision_record_id"),
            models.Index(fields=("client", "month"), name="decision_record_month"),
        ]


class Challenge(models.Model):
    """A step-up that was asked for; met by a second credential."""

    id = models.TextField(primary_key=True)
    client = models.TextField()
    person = models.TextField()
    contact = models.TextField()
    level = models.IntegerField()
    decision = models.TextField()
    created_us = models.BigIntegerField()
    expires_us = models.BigIntegerField()
    used_us = models.BigIntegerField(null=True)

    class Meta:
        """How the table is called, and the look-up by age."""

        db_table = "decision_challenge"
        indexes = [models.Index(fields=("expires_us",), name="decision_challenge_age")]


class Idempotency(models.Model):
    """A key that a caller gave to a request, and the decision it led to; never a value (SPINE 22)."""

    pk = models.CompositePrimaryKey("client", "person", "key")
    client = models.TextField()
    person = models.TextField()
    key = models.TextField()
    body_mac = models.BinaryField()
    decision = models.TextField()
    paid = models.SmallIntegerField()  # 1: all that was asked was given and charged
    at_us = models.BigIntegerField()

    class Meta:
        """How the table is called, and the look-up by age."""

        db_table = "decision_idempotency"
        indexes = [models.Index(fields=("at_us",), name="decision_idempotency_age")]
