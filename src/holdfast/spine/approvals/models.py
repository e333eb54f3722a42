"""The table of approvals, declared for migrations. At run time it is read and written by ``store.py`` only."""

from __future__ import annotations

from django.db import models


class Request(models.Model):
    """One request for a second person's approval, and what became of it. It never holds a field's value.

    ``client`` is empty when no client, or more than one, is concerned; ``clients`` names all whose logs are told.
    ``expires_us`` is until when it can be decided and, once granted, used. Lapsing follows from it and is not stored.
    """

    id = models.TextField(primary_key=True)  # apr_…
    client = models.TextField()
    clients = models.TextField()  # "bank-01,bank-02"
    kind = models.TextField()  # vocabulary.levels.ApprovalKind
    state = models.TextField()  # asked | granted | refused | used
    requester = models.TextField()
    requester_device = models.TextField()
    requester_credential = models.TextField()
    operation = models.TextField()
    contact = models.TextField()  # our reference; "" where there is none
    customer = models.TextField()  # internal id; "" where there is none
    programme = models.TextField()  # whose people may approve; "" where there is none
    reason = models.TextField()  # of the contact; "" where there is none
    collection = models.TextField()
    record = models.TextField()
    subject = models.TextField()  # canonical JSON: field → presentation, or an act's parameters
    policies = models.TextField()  # digest of the contract and policies under which it was asked
    decision = models.TextField()
    digest = models.BinaryField()  # of what exactly is approved
    salt = models.BinaryField()  # of the commitment to the digest that the leaf carries
    summary = models.TextField()  # canonical JSON for the approver's eyes
    created_us = models.BigIntegerField()
    expires_us = models.BigIntegerField()
    decided_by = models.TextField()
    decided_device = models.TextField()
    decided_us = models.BigIntegerField()
    used_us = models.BigIntegerField()

    class Meta:
        """How the table is called, and the look-ups: what waits, what one person gave or got in a shift."""

        db_table = "approvals_request"
        indexes = [
            models.Index(fields=("client", "state", "id"), name="approvals_request_waiting"),
            models.Index(
                fields=("client", "requester", "decided_us"), name="approvals_request_got"
            ),
            models.Index(
                fields=("client", "decided_by", "decided_us"), name="approvals_request_gave"
            ),
            models.Index(fields=("created_us",), name="approvals_request_age"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=("asked", "granted", "refused", "used")),
                name="approvals_request_state",
            ),
            models.CheckConstraint(
                condition=~models.Q(requester=models.F("decided_by")),
                name="approvals_request_two_persons",
            ),
        ]


class Glass(models.Model):
    """A break-glass that was granted: stands in for a contact until ``until_us``, for a few customers."""

    pk = models.CompositePrimaryKey("client", "id")
    client = models.TextField()
    id = models.TextField()  # gls_…
    approval = models.TextField(unique=True)
    person = models.TextField()
    programme = models.TextField()
    queue = models.TextField()
    reason = models.TextField()  # the call reason whose field set is shown
    opened_us = models.BigIntegerField()
    until_us = models.BigIntegerField()
    most = models.BigIntegerField()
    closed_us = models.BigIntegerField()

    class Meta:
        """How the table is called."""

        db_table = "approvals_glass"


class GlassCustomer(models.Model):
    """A customer who was looked at under a break-glass; inserted once."""

    pk = models.CompositePrimaryKey("client", "glass", "customer")
    client = models.TextField()
    glass = models.TextField()
    customer = models.TextField()
    at_us = models.BigIntegerField()

    class Meta:
        """How the table is called."""

        db_table = "approvals_glass_customer"
