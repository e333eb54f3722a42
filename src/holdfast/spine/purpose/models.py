"""Tables of purpose, declared for migrations. At run time they are read and written by ``store.py`` only."""

from __future__ import annotations

from django.db import models


class Contact(models.Model):
    """A contact; see :class:`holdfast.spine.purpose.contact.Contact` for what the columns mean."""

    pk = models.CompositePrimaryKey("client", "ref")
    client = models.TextField()
    ref = models.TextField()
    version = models.BigIntegerField()
    state = models.TextField()
    channel = models.TextField()
    programme = models.TextField()
    queue = models.TextField()
    place_key = models.TextField()
    person = models.TextField()
    holder_us = models.BigIntegerField()
    holder_key = models.TextField()
    held_key = models.TextField()
    feed_reason = models.TextField()
    reason_key = models.TextField()
    chosen_reason = models.TextField()
    chosen_over = models.TextField()
    chosen_queue = models.TextField()
    reason_changes = models.BigIntegerField()
    feed_customer = models.TextField()
    feed_rank = models.BigIntegerField()
    customer = models.TextField()
    bound_how = models.TextField()
    bound_us = models.BigIntegerField()
    rebinds = models.BigIntegerField()
    first_event_us = models.BigIntegerField()
    last_event_us = models.BigIntegerField()
    ended_us = models.BigIntegerField()

    class Meta:
        """How the table is called, and the look-up by age."""

        db_table = "purpose_contact"
        indexes = [
            models.Index(fields=("last_event_us",), name="purpose_contact_age"),
            models.Index(fields=("person", "last_event_us"), name="purpose_contact_of"),
        ]


class Presence(models.Model):
    """What feeds said of a person: the last voice contact taken, over all clients, login, its site, and logout."""

    person = models.TextField(primary_key=True)
    voice_key = models.TextField()
    voice_client = models.TextField()
    voice_contact = models.TextField()
    logout_us = models.BigIntegerField()
    login_us = models.BigIntegerField(db_default=0)
    site = models.TextField(db_default="")

    class Meta:
        """How the table is called."""

        db_table = "purpose_presence"


class Provisional(models.Model):
    """A contact that a person opened; see :class:`holdfast.spine.purpose.provisional.Provisional`."""

    id = models.TextField(primary_key=True)
    client = models.TextField()
    contact = models.TextField()
    person = models.TextField()
    basis = models.TextField()
    programme = models.TextField()
    queue = models.TextField()
    reason = models.TextField()
    opened_us = models.BigIntegerField()
    until_us = models.BigIntegerField()
    customer = models.TextField()
    customer_at_us = models.BigIntegerField()
    verified_us = models.BigIntegerField()
    state = models.TextField()
    settled_us = models.BigIntegerField()
    outage = models.TextField()
    person_ref = models.TextField()

    class Meta:
        """How the table is called, and its look-ups."""

        db_table = "purpose_provisional"
        indexes = [
            models.Index(fields=("client", "contact"), name="purpose_provisional_contact"),
            models.Index(fields=("person", "state"), name="purpose_provisional_person"),
            models.Index(fields=("state", "opened_us"), name="purpose_provisional_state"),
        ]


class Outage(models.Model):
    """A declared outage of a client's contact feeds. ``ended_us`` is 0 until it was ended or told as over."""

    id = models.TextField(primary_key=True)
    client = models.TextField()
    reason = models.TextField()
    declared_us = models.BigIntegerField()
    until_us = models.BigIntegerField()
    ended_us = models.BigIntegerField()

    class Meta:
        """How the table is called, and its look-up."""

        db_table = "purpose_outage"
        indexes = [models.Index(fields=("client", "until_us"), name="purpose_outage_client")]


class Candidate(models.Model):
    """A customer whom a search of this contact found."""

    pk = models.CompositePrimaryKey("client", "contact", "customer")
    client = models.TextField()
    contact = models.TextField()
    customer = models.TextField()
    at_us = models.BigIntegerField()

    class Meta:
        """How the table is called, and the look-up by age."""

        db_table = "purpose_candidate"
        indexes = [models.Index(fields=("at_us",), name="purpose_candidate_age")]


class SearchValue(models.Model):
    """A distinct value searched in this contact, as a keyed hash."""

    pk = models.CompositePrimaryKey("client", "contact", "value_mac")
    client = models.TextField()
    contact = models.TextField()
    value_mac = models.BinaryField()
    at_us = models.BigIntegerField()

    class Meta:
        """How the table is called, and the look-up by age."""

        db_table = "purpose_search_value"
        indexes = [models.Index(fields=("at_us",), name="purpose_search_value_age")]
