"""Table of imports that are under way, declared for migrations; read and written by ``services/store.py`` only."""

from __future__ import annotations

from django.db import models


class Import(models.Model):
    """How far the import into a collection has come; the row goes when the import ends.

    ``file`` is the SHA-256 of the file, by which it is known again after an interruption; it goes with the row.
    ``position`` counts the rows of the file that are settled, and ``rejects_bytes`` the rejects file up to there.
    """

    pk = models.CompositePrimaryKey("client", "collection")
    client = models.TextField()
    collection = models.TextField()
    file = models.TextField()
    schema = models.TextField()
    operation = models.TextField()
    position = models.BigIntegerField()
    new = models.BigIntegerField()
    changed = models.BigIntegerField()
    unchanged = models.BigIntegerField()
    suppressed = models.BigIntegerField()
    rejected = models.BigIntegerField()
    rejects = models.TextField()
    rejects_bytes = models.BigIntegerField()
    started_us = models.BigIntegerField()
    changed_us = models.BigIntegerField()

    class Meta:
        """How the table is called."""

        db_table = "classification_import"
