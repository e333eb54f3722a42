"""Django knows persons as its users, and gives them neither passwords nor permissions."""

from __future__ import annotations

import django
import pytest


@pytest.fixture(scope="module")
def person_model():
    django.setup()
    from django.contrib.auth import get_user_model

    return get_user_model()


def test_a_person_is_djangos_user(person_model):
    assert person_model._meta.label == "identity.Person"
    assert person_model._meta.pk.name == "id"
    assert person_model.USERNAME_FIELD == "id"


def test_a_user_has_no_permissions_of_djangos(person_model):
    names = {field.name for field in person_model._meta.get_fields()}
    assert names.isdisjoint({"is_superuser", "is_staff", "groups", "user_permissions"})


def test_the_mark_that_the_store_writes_is_no_usable_password(person_model):
    person = person_model(id="per_1", password="!")
    assert not person.has_usable_password()
    assert not person.check_password("")
    assert not person.check_password("!")


def test_the_tables_are_those_of_the_migration(person_model):
    from django.apps import apps
    from django.db.migrations.autodetector import MigrationAutodetector
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ProjectState

    loader = MigrationLoader(None)
    ours = {"identity", "jobs"}
    changes = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps)).changes(
        graph=loader.graph, trim_to_apps=ours, convert_apps=ours
    )
    assert not changes
