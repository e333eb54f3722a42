"""What the console keeps of a browser between two requests. Nothing but Django imports this module."""

from __future__ import annotations

from django.db import models


class BrowserState(models.Model):
    """State of one browser, sealed; found by the hash of its cookie, which is the only other place that has it."""

    hash = models.BinaryField(primary_key=True)
    sealed = models.BinaryField()
    expires_us = models.BigIntegerField(db_index=True)

    class Meta:
        db_table = "console_browser"


class Attempt(models.Model):
    """How often somebody tried to sign in from an address or a browser, in a window that ends."""

    about = models.TextField(primary_key=True)
    until_us = models.BigIntegerField(db_index=True)
    count = models.BigIntegerField()

    class Meta:
        db_table = "console_attempt"


class UsedCode(models.Model):
    """The newest interval of which an app's code was used: no code of it, or of one before, is good again."""

    factor = models.BigIntegerField(primary_key=True)
    step = models.BigIntegerField()

    class Meta:
        db_table = "console_code"
