"""Database roles: every table says who may do what to it, and says no more than the house's statements need."""

from __future__ import annotations

import re

import django
import pytest
from django.apps import apps

from architecture.test_sql import declared
from holdfast.edges.roles.rights import LEDGER, RIGHTS

WRITES = re.compile(r"\b(?:(INSERT) INTO|(DELETE) FROM|(UPDATE)) ([a-z]+_[a-z_]+)")
UPSERT = re.compile(r"\bINSERT INTO ([a-z_]+) .*\bDO UPDATE\b")
#: The owner of the tables restores a house; nobody else does.
OF_OWNER = "recovery"


@pytest.fixture(scope="module")
def tables() -> set[str]:
    django.setup()
    named = {m._meta.db_table for m in apps.get_models() if m.__module__.startswith("holdfast.")}
    return {*named, "django_migrations"}


#: Tables that the console alone writes, by Django's own statements.
OF_CONSOLE = {"culture_report", "mfa_authenticator"}


@pytest.fixture(scope="module")
def needed() -> dict[str, set[str]]:
    """The rights that statements outside recovery need, by table."""
    found: dict[str, set[str]] = {}
    for one in declared():
        if one.module.path.parent.name == OF_OWNER:
            continue
        for insert, delete, update, table in WRITES.findall(one.text):
            found.setdefault(table, set()).add(insert or delete or update)
        for table in UPSERT.findall(one.text):
            found[table].add("UPDATE")
    return found


def rights(text: str) -> set[str]:
    return {part.split("(")[0].strip() for part in re.split(r",(?![^(]*\))", text) if part.strip()}


def test_every_table_says_who_may_do_what_to_it(tables):
    assert set(RIGHTS) == tables | OF_CONSOLE


def test_the_worker_may_do_what_some_statement_does_and_no_more(tables, needed):
    for table in sorted(tables - OF_CONSOLE):
        assert rights(RIGHTS[table].worker) - {"SELECT"} == needed.get(table, set()), table


def test_the_app_may_do_nothing_that_the_worker_may_not_but_for_held_rows(tables):
    held = {("identity_assignment", "UPDATE"), ("vault_customer", "UPDATE")}
    for table in sorted(tables - OF_CONSOLE):
        more = rights(RIGHTS[table].app) - rights(RIGHTS[table].worker)
        assert not {(table, right) for right in more} - held, table


def test_the_app_changes_and_removes_nothing_of_the_ledger():
    for table in LEDGER:
        assert not rights(RIGHTS[table].app) - {"SELECT", "INSERT"}, table
    adds = {table for table in LEDGER if "INSERT" in rights(RIGHTS[table].app)}
    assert adds == {"ledger_pending", "decision_record"}


def test_the_app_removes_nothing_at_all():
    removed = {table for table, one in RIGHTS.items() if "DELETE" in rights(one.app)}
    assert removed == {"mfa_authenticator"}, "a person removes a factor of their own"


def test_the_reader_writes_nothing_and_sees_nothing_of_the_keys():
    for table, one in RIGHTS.items():
        assert rights(one.reader) <= {"SELECT"}, table
        assert not (table.startswith("keyring_") and one.reader), table
