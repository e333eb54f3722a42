"""The tables of people and credentials. They only declare: nothing at run time but Django imports this module.

Times are microseconds since the epoch; lists are comma-joined words, so that both storages sort and compare them alike.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models


class Employer(models.Model):
    """The house itself or a vendor. A client's contract names the employers whose people it accepts."""

    id = models.TextField(primary_key=True)
    name = models.TextField()

    class Meta:
        db_table = "identity_employer"


class Person(AbstractBaseUser):
    """A member of the workforce, or a client's or auditor's user.

    There are no Django permissions: what a person may do is a decision. There is no password either; the inherited
    column always holds the unusable mark ``!``.
    """

    id = models.TextField(primary_key=True)  # per_…
    staff_id = models.TextField()
    employer = models.ForeignKey(Employer, models.PROTECT, db_column="employer")
    label = models.TextField(default="")  # how lists show the person; may be empty
    state = models.TextField()  # vocabulary.levels.PersonState
    roles = models.TextField()  # "admin,security"
    os_user = models.TextField(unique=True, null=True)  # account that the command line acts for
    created_us = models.BigIntegerField()
    lead = models.ForeignKey("self", models.PROTECT, db_column="lead", null=True)

    USERNAME_FIELD = "id"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["staff_id"]

    def __str__(self) -> str:
        """How an authenticator names the account: the label, or else the staff id."""
        return self.label or self.staff_id

    class Meta:
        db_table = "identity_person"
        constraints = [
            models.UniqueConstraint(fields=["staff_id", "employer"], name="identity_person_staff"),
            models.CheckConstraint(
                condition=models.Q(state__in=("active", "suspended", "left")),
                name="identity_person_state",
            ),
            models.CheckConstraint(
                condition=models.Q(("password__startswith", "!")),
                name="identity_person_no_password",
            ),
        ]


class Assignment(models.Model):
    """A person's work on a programme of a client, from ``starts_us`` until ``ends_us`` (null: open)."""

    id = models.TextField(primary_key=True)
    person = models.ForeignKey(Person, models.PROTECT, db_column="person")
    client = models.TextField()
    programme = models.TextField()
    queues = models.TextField()  # "" is every queue of the programme
    roles = models.TextField()
    starts_us = models.BigIntegerField()
    ends_us = models.BigIntegerField(null=True)

    class Meta:
        db_table = "identity_assignment"
        indexes = [models.Index(fields=["person", "client"], name="identity_assignment_of")]


class Credential(models.Model):
    """A bearer secret's hash and what it is bound to. The secret itself is not stored."""

    id = models.TextField(primary_key=True)
    kind = models.TextField()  # token | step_up
    person = models.ForeignKey(Person, models.PROTECT, db_column="person", null=True)
    service = models.TextField()  # name of a service, or ""
    scope = models.TextField()  # of a service: "log:bank-01"
    secret_hash = models.BinaryField(unique=True)
    level = models.IntegerField()  # vocabulary.levels.AuthLevel
    networks = models.TextField()  # "10.0.0.0/8,192.0.2.0/24"; "" is any
    device = models.TextField()  # "" is any
    client = models.TextField()  # the one client that it is good for; "" is any
    challenge = models.TextField()  # of a step_up
    contact = models.TextField()  # of a step_up: the contact's reference
    jkt = models.TextField(default="")  # thumbprint of the holder's key (RFC 9449); "" is none
    x5t = models.TextField(default="")  # thumbprint of the holder's certificate (RFC 8705)
    via = models.TextField(default="")  # service that alone may send it; "" is any, or none
    issued_by = models.TextField(default="")  # persons who may have seen the secret: "per_1,per_2"
    created_us = models.BigIntegerField()
    expires_us = models.BigIntegerField()
    revoked_us = models.BigIntegerField(null=True)

    class Meta:
        db_table = "identity_credential"
        indexes = [
            models.Index(fields=["person"], name="identity_credential_of"),
            models.Index(fields=["expires_us"], name="identity_credential_age"),
        ]
        constraints = [
            models.CheckConstraint(
                # Exactly one of a person and a service: a service's token is nobody's.
                condition=models.Q(person__isnull=False, service="")
                | (models.Q(person__isnull=True) & ~models.Q(service="")),
                name="identity_credential_holder",
            ),
        ]


class Session(models.Model):
    """Somebody signed in in a browser. The cookie itself is not stored; who has it counts as its person until then.

    ``expires_us`` moves on with what the person does and ends after a while without; ``ends_us`` is the last moment
    that it can move to. ``lifted_*`` say for which contact the person confirmed lately that it is they.
    """

    id = models.TextField(primary_key=True)  # ses_…
    secret_hash = models.BinaryField(unique=True)
    person = models.ForeignKey(Person, models.PROTECT, db_column="person")
    method = models.TextField()  # vocabulary.levels.SignIn, or "sso:" and what the provider asserts
    factor = models.TextField()  # the factor's number, or ""
    seen_by = (
        models.TextField()
    )  # persons who may have enrolled the factor in this one's place: "per_1,per_2"
    peer = models.TextField()  # network address that it began from
    agent = models.TextField()  # browser and system, as they name themselves
    created_us = models.BigIntegerField()
    seen_us = models.BigIntegerField()
    expires_us = models.BigIntegerField()
    ends_us = models.BigIntegerField()
    revoked_us = models.BigIntegerField(null=True)
    lifted_level = models.IntegerField(default=0)  # vocabulary.levels.AuthLevel
    lifted_client = models.TextField(default="")
    lifted_contact = models.TextField(default="")  # the contact's reference
    lifted_challenge = models.TextField(default="")
    lifted_until_us = models.BigIntegerField(default=0)

    class Meta:
        db_table = "identity_session"
        indexes = [
            models.Index(fields=["person"], name="identity_session_of"),
            models.Index(fields=["expires_us"], name="identity_session_age"),
        ]


class Enrolment(models.Model):
    """A link by which a person enrols their first factor, once, from where they are expected."""

    id = models.TextField(primary_key=True)  # enr_…
    secret_hash = models.BinaryField(unique=True)
    person = models.ForeignKey(Person, models.PROTECT, db_column="person")
    networks = models.TextField()  # "" is any
    issued_by = models.TextField()  # persons who may have seen the link: "per_1,per_2"
    created_us = models.BigIntegerField()
    expires_us = models.BigIntegerField()
    used_us = models.BigIntegerField(null=True)

    class Meta:
        db_table = "identity_enrolment"
        indexes = [models.Index(fields=["person"], name="identity_enrolment_of")]


class DirectoryEntry(models.Model):
    """What an employer's directory says of a person, beside what the people store knows (SCIM, RFC 7643)."""

    person = models.OneToOneField(Person, models.PROTECT, db_column="person", primary_key=True)
    external_id = models.TextField()  # how the directory calls them; "" is nothing
    active = models.IntegerField(null=True)  # whether they work now; null: it does not say
    held = models.IntegerField()  # it is the directory that suspended them: it may end that
    changed_us = models.BigIntegerField()
    removed_us = models.BigIntegerField(null=True)  # the directory does not know them any more

    class Meta:
        db_table = "identity_directory"


class Departure(models.Model):
    """Somebody who left, and whether what they had in hand was taken back."""

    person = models.OneToOneField(Person, models.PROTECT, db_column="person", primary_key=True)
    left_us = models.BigIntegerField()
    badge_us = models.BigIntegerField(null=True)  # when the badge was taken back; null: it waits
    badge_by = models.TextField(default="")  # who says so

    class Meta:
        db_table = "identity_departure"
        indexes = [models.Index(fields=["badge_us"], name="identity_departure_waiting")]


class Proof(models.Model):
    """A proof of possession that was used; it is forgotten once it would be too old anyway."""

    used = models.BinaryField(primary_key=True)  # digest of the holder's key and the proof's jti
    until_us = models.BigIntegerField(db_index=True)

    class Meta:
        db_table = "identity_proof"


class Reference(models.Model):
    """The pseudonym by which a person stands in one log (SPINE 28)."""

    pk = models.CompositePrimaryKey("person", "log")
    person = models.ForeignKey(Person, models.PROTECT, db_column="person")
    log = models.TextField()
    ref = models.TextField(unique=True)

    class Meta:
        db_table = "identity_reference"


class Fact(models.Model):
    """A standing fact about a person, put here by a procedure and read by each decision."""

    pk = models.CompositePrimaryKey("person", "fact")
    person = models.ForeignKey(Person, models.PROTECT, db_column="person")
    fact = models.TextField()
    met = models.IntegerField()
    value = models.TextField()
    as_of_us = models.BigIntegerField()
    valid_until_us = models.BigIntegerField(null=True)
    source = models.TextField()

    class Meta:
        db_table = "identity_fact"
