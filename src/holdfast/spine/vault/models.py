"""Tables of the vault in the ``data`` store, declared for migrations; read and written by ``store.py`` only."""

from __future__ import annotations

from django.db import models


class Collection(models.Model):
    """A version of a collection's schema: as written, and compiled."""

    pk = models.CompositePrimaryKey("client", "name", "version")
    client = models.TextField()
    name = models.TextField()
    version = models.BigIntegerField()
    schema_toml = models.TextField()
    compiled = models.TextField()
    digest = models.TextField()
    added_us = models.BigIntegerField()

    class Meta:
        """How the table is called."""

        db_table = "vault_collection"


class Customer(models.Model):
    """A data subject; after a shred the row stays as the tombstone."""

    pk = models.CompositePrimaryKey("client", "id")
    client = models.TextField()
    id = models.TextField()
    state = models.TextField()
    changed_us = models.BigIntegerField()

    class Meta:
        """How the table is called."""

        db_table = "vault_customer"


class Record(models.Model):
    """One record, its fields sealed one by one and packed in ``body``."""

    pk = models.CompositePrimaryKey("client", "customer", "id")
    client = models.TextField()
    customer = models.TextField()
    id = models.TextField()
    collection = models.TextField()
    version = models.BigIntegerField()
    body = models.BinaryField()
    operation = models.TextField()

    class Meta:
        """How the table is called."""

        db_table = "vault_record"


class Operation(models.Model):
    """An operation that committed; ``salt`` opens the commitment that its leaf makes to the manifests written."""

    pk = models.CompositePrimaryKey("client", "id")
    client = models.TextField()
    id = models.TextField()
    kind = models.TextField()
    salt = models.BinaryField()
    at_us = models.BigIntegerField()

    class Meta:
        """How the table is called."""

        db_table = "vault_operation"


class Suppression(models.Model):
    """A keyed hash of an erased customer's number: a later import does not bring the customer back."""

    pk = models.CompositePrimaryKey("client", "mac")
    client = models.TextField()
    mac = models.BinaryField()
    at_us = models.BigIntegerField()

    class Meta:
        """How the table is called."""

        db_table = "vault_suppression"


class Shred(models.Model):
    """An erasure and how far it is. ``customer`` is emptied when it is done; ``reference`` is what leaves call it."""

    pk = models.CompositePrimaryKey("client", "operation")
    client = models.TextField()
    operation = models.TextField()
    customer = models.TextField()
    reference = models.TextField()
    state = models.TextField()
    requested_leaf = models.TextField()
    done_leaf = models.TextField()
    refused_us = models.BigIntegerField()
    erased_us = models.BigIntegerField()
    records = models.BigIntegerField()
    classes = models.TextField()
    certificate = models.TextField()

    class Meta:
        """How the table is called, and the look-up of what is unfinished."""

        db_table = "vault_shred"
        indexes = [models.Index(fields=("state", "client"), name="vault_shred_state")]


class ClientShred(models.Model):
    """The erasure of a whole client, and how far it is."""

    client = models.TextField(primary_key=True)
    operation = models.TextField()
    state = models.TextField()  # requested | again | done | certified
    requested_leaf = models.TextField()
    done_leaf = models.TextField()
    refused_us = models.BigIntegerField()
    erased_us = models.BigIntegerField()
    customers = models.BigIntegerField()
    records = models.BigIntegerField()
    certificate = models.TextField()

    class Meta:
        """How the table is called."""

        db_table = "vault_client_shred"


class Hold(models.Model):
    """A customer held by an incident: what an erasure keeps of them stands sealed in ``body``, its key in ``keys``."""

    pk = models.CompositePrimaryKey("client", "id")
    client = models.TextField()
    id = models.TextField()
    customer = models.TextField()  # emptied by the erasure
    reference = models.TextField()
    incident = models.TextField()
    state = models.TextField()  # open | kept | lifted | expired | ended | empty
    placed_by = models.TextField()
    placed_us = models.BigIntegerField()
    until_us = models.BigIntegerField()
    operation = models.TextField()
    fields = models.TextField()
    leaf = models.TextField()
    body = models.BinaryField()
    gone_us = models.BigIntegerField()

    class Meta:
        """How the table is called, and the look-up of what is over."""

        db_table = "vault_hold"
        indexes = [models.Index(fields=("state", "until_us"), name="vault_hold_state")]
