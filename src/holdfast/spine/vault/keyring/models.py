"""Tables of the ``keys`` store, declared for migrations; read and written by ``store.py`` only.

Rows are written *before* the operation that needs them commits in ``data``, marked with its id, and taken away *after*
(SPINE 18).
"""

from __future__ import annotations

from django.db import models


class Kek(models.Model):
    """A client's key-encryption key (``purpose`` wrap) or root of its index keys (index), under the house's root."""

    pk = models.CompositePrimaryKey("client", "purpose", "epoch")
    client = models.TextField()
    purpose = models.TextField()
    epoch = models.BigIntegerField()
    wrapped = models.BinaryField()

    class Meta:
        """How the table is called."""

        db_table = "keyring_kek"


class Dek(models.Model):
    """The data key of one (customer, class), wrapped, with the commitment that no other key can meet."""

    pk = models.CompositePrimaryKey("client", "customer", "data_class", "version")
    client = models.TextField()
    customer = models.TextField()
    data_class = models.BigIntegerField()
    version = models.BigIntegerField()
    wrapped = models.BinaryField()
    commitment = models.BinaryField()
    operation = models.TextField()

    class Meta:
        """How the table is called."""

        db_table = "keyring_dek"


class ImportKey(models.Model):
    """Which customer has this number (``collection`` empty), or which record this key, as keyed hashes."""

    pk = models.CompositePrimaryKey("client", "collection", "token")
    client = models.TextField()
    collection = models.TextField()
    token = models.BinaryField()
    customer = models.TextField()
    record = models.TextField()
    operation = models.TextField()

    class Meta:
        """How the table is called, and the look-up by customer."""

        db_table = "keyring_import_key"
        indexes = [models.Index(fields=("client", "customer"), name="keyring_import_customer")]


class IndexEntry(models.Model):
    """A blind index entry: ``token`` is a keyed hash of a field's value at ``version`` of the record."""

    id = models.BigAutoField(primary_key=True)
    client = models.TextField()
    collection = models.TextField()
    field = models.BigIntegerField()
    token = models.BinaryField()
    customer = models.TextField()
    record = models.TextField()
    version = models.BigIntegerField()
    operation = models.TextField()

    class Meta:
        """How the table is called, and its two look-ups."""

        db_table = "keyring_index"
        indexes = [
            models.Index(
                fields=("client", "collection", "field", "token"), name="keyring_index_token"
            ),
            models.Index(fields=("client", "customer"), name="keyring_index_customer"),
        ]


class Head(models.Model):
    """The digest of a record's row at a version. Compared at each look: an older or edited row does not match."""

    pk = models.CompositePrimaryKey("client", "customer", "record", "version", "operation")
    client = models.TextField()
    customer = models.TextField()
    record = models.TextField()
    version = models.BigIntegerField()
    digest = models.BinaryField()
    operation = models.TextField()

    class Meta:
        """How the table is called."""

        db_table = "keyring_head"


class CustomerReference(models.Model):
    """What the client's log calls a customer."""

    pk = models.CompositePrimaryKey("client", "customer")
    client = models.TextField()
    customer = models.TextField()
    ref = models.TextField()

    class Meta:
        """How the table is called."""

        db_table = "keyring_customer"


class ContactReference(models.Model):
    """What the client's log calls a contact; the feed's own id stands nowhere else."""

    pk = models.CompositePrimaryKey("client", "external")
    client = models.TextField()
    external = models.TextField()
    ref = models.TextField()

    class Meta:
        """How the table is called, and the look-up by the feed's id alone."""

        db_table = "keyring_contact"
        indexes = [models.Index(fields=("external",), name="keyring_contact_external")]


class RecordKey(models.Model):
    """The key of a client's decision records of one month, wrapped; its destruction is their retention."""

    pk = models.CompositePrimaryKey("client", "month")
    client = models.TextField()
    month = models.TextField()
    wrapped = models.BinaryField()

    class Meta:
        """How the table is called."""

        db_table = "keyring_record_key"


class PreparedOperation(models.Model):
    """An operation that may have rows here which ``data`` does not know of yet, or no longer needs.

    One that writes a single record names it, so that its rows are found without a search.
    """

    pk = models.CompositePrimaryKey("client", "id")
    client = models.TextField()
    id = models.TextField()
    customer = models.TextField()
    record = models.TextField()
    at_us = models.BigIntegerField()

    class Meta:
        """How the table is called."""

        db_table = "keyring_operation"


class Tombstone(models.Model):
    """A hash of the id of an erased customer: no key is made for it again."""

    pk = models.CompositePrimaryKey("client", "mac")
    client = models.TextField()
    mac = models.BinaryField()
    at_us = models.BigIntegerField()

    class Meta:
        """How the table is called."""

        db_table = "keyring_tombstone"


class HoldKey(models.Model):
    """The key of what a hold keeps of an erased customer, wrapped; no customer is named beside it."""

    pk = models.CompositePrimaryKey("client", "hold")
    client = models.TextField()
    hold = models.TextField()
    wrapped = models.BinaryField()

    class Meta:
        """How the table is called."""

        db_table = "keyring_hold"
