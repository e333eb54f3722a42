"""The table of background work. It only declares: nothing at run time but Django imports this module."""

from __future__ import annotations

from django.db import models


class Job(models.Model):
    """One piece of work, from enqueued to done or dead. Times are microseconds since the epoch."""

    id = models.TextField(primary_key=True)
    kind = models.TextField()
    payload = models.TextField()  # JSON, references only
    dedupe_key = models.TextField(unique=True, null=True)
    state = models.TextField()  # ready | leased | done | dead
    run_at_us = models.BigIntegerField()  # not before
    lease = models.TextField()  # id of the run that holds it, or ""
    lease_until_us = models.BigIntegerField()
    attempts = models.IntegerField()
    error = models.TextField()  # code of the last failure; never its text
    created_us = models.BigIntegerField()
    finished_us = models.BigIntegerField(null=True)

    class Meta:
        db_table = "jobs_job"
        indexes = [
            models.Index(fields=["state", "run_at_us"], name="jobs_job_due"),
            models.Index(fields=["state", "lease_until_us"], name="jobs_job_lapsed"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=("ready", "leased", "done", "dead")),
                name="jobs_job_state",
            ),
        ]
