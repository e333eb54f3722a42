"""Tables of recovery, declared for migrations. At run time they are read and written by ``store.py`` only."""

from __future__ import annotations

from django.db import models


class Gap(models.Model):
    """Leaves of one log that a recovery put back, and how far it is with them; see the package for the states."""

    pk = models.CompositePrimaryKey("id", "log")
    id = models.TextField()  # of the recovery, over all its logs
    log = models.TextField()
    state = models.TextField()  # put_back | redone | told
    source = models.TextField()  # where the leaves came from: published | bundle | none
    by = models.TextField(db_column="person")
    second = models.TextField()  # the second person who approved it, or empty
    asks = models.SmallIntegerField(default=0)  # 1: one is to approve it before the house serves
    from_size = models.BigIntegerField()
    to_size = models.BigIntegerField()
    from_us = models.BigIntegerField()  # time of the last leaf that the restored store had
    to_us = models.BigIntegerField()
    known = (
        models.TextField()
    )  # JSON: ids of leaves in the gap whose operation the restored store had
    erased = models.BigIntegerField()
    narrowed = models.BigIntegerField()
    not_redone = models.BigIntegerField()
    lost_size = models.BigIntegerField(
        default=0
    )  # leaves that were signed, where their end is given up
    lost_root = models.BinaryField(default=bytes)
    leaf = models.TextField()
    at_us = models.BigIntegerField()

    class Meta:
        """How the table is called, and the look-up of what is unfinished."""

        db_table = "recovery_gap"
        indexes = [models.Index(fields=("state",), name="recovery_gap_state")]
