"""Models only declare tables, and an app knows no other app's tables but those of persons."""

from __future__ import annotations

import django
import pytest

from holdfast.router import store_of


@pytest.fixture(scope="module")
def models():
    django.setup()
    from django.apps import apps

    return [m for m in apps.get_models() if m.__module__.startswith("holdfast.")]


def test_a_foreign_key_points_to_its_own_app_or_to_identity(models):
    strays = [
        f"{model.__name__}.{field.name} → {field.related_model._meta.label}"
        for model in models
        for field in model._meta.get_fields()
        if field.is_relation
        and not field.auto_created
        and field.related_model._meta.app_label not in {model._meta.app_label, "identity"}
    ]
    assert not strays, "\n".join(strays)


def test_no_relation_crosses_the_two_stores(models):
    strays = [
        f"{model.__name__}.{field.name}"
        for model in models
        for field in model._meta.get_fields()
        if field.is_relation
        and store_of(field.related_model._meta.app_label) != store_of(model._meta.app_label)
    ]
    assert not strays, "\n".join(strays)


def test_a_table_is_named_for_its_app(models):
    strays = [
        f"{model.__name__} stands in {model._meta.db_table}"
        for model in models
        if not model._meta.db_table.startswith(f"{model._meta.app_label}_")
    ]
    assert not strays, "\n".join(strays)


def test_an_app_is_named_for_its_folder(models):
    # The check stores.E003 reads the labels of migrations from the folders' names.
    strays = {
        model._meta.app_label
        for model in models
        if model._meta.app_config.name.rpartition(".")[2] != model._meta.app_label
    }
    assert not strays
