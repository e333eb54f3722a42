"""What people reported: sealed, and with a name only if they gave it."""

from __future__ import annotations

from django.db import models


class Report(models.Model):
    """Something odd that somebody saw. ``person`` is "" of an anonymous one: then nothing here tells who it was."""

    id = models.TextField(primary_key=True)  # rep_…
    person = models.TextField()
    kind = models.TextField()  # rules.Kind
    sealed = models.BinaryField()  # what they wrote
    contact = models.TextField()  # our reference of the contact that it was about, or ""
    at_us = models.BigIntegerField()
    answered_us = models.BigIntegerField(null=True)
    answered_by = models.TextField()
    answer = models.BinaryField()  # sealed

    class Meta:
        db_table = "culture_report"
        indexes = [models.Index(fields=["at_us"], name="culture_report_age")]
