"""The table of refused acts, declared for migrations. At run time it is read and written by ``store.py`` only."""

from __future__ import annotations

from django.db import models


class Refusal(models.Model):
    """How often a person was refused one act by the same rules in one hour: equal ones are folded into few leaves."""

    pk = models.CompositePrimaryKey("person", "act", "rules", "hour")
    person = models.TextField()
    act = models.TextField()
    rules = models.TextField()
    hour = models.BigIntegerField()
    count = models.BigIntegerField()

    class Meta:
        """How the table is called, and the look-up of what may be forgotten."""

        db_table = "administration_refusal"
        indexes = [models.Index(fields=("hour",), name="administration_refusal_age")]
