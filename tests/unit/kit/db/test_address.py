from __future__ import annotations

import pytest
from psycopg.conninfo import conninfo_to_dict

from holdfast.kit.db.address import PostgresDatabase, options, parse_address

SEVERAL = (
    "postgres://app:s%40cret@db-1.example:5433,db-2.example/data?target_session_attrs=read-write"
)


def read(text, tmp_path):
    store = parse_address(text, tmp_path)
    assert isinstance(store, PostgresDatabase)
    return store


@pytest.mark.parametrize(
    ("text", "name", "hosts"),
    [
        ("postgres://app@db.example/data", "db.example:5432/data", 1),
        ("postgresql://app@[2001:db8::1]:6000/data", "2001:db8::1:6000/data", 1),
        ("postgres://app@/data?host=/run/postgresql", "/run/postgresql:5432/data", 1),
        (SEVERAL, "db-1.example:5433,db-2.example:5432/data", 2),
    ],
)
def test_an_address_is_named_without_user_and_password(text, name, hosts, tmp_path):
    store = read(text, tmp_path)
    assert (str(store), store.hosts) == (name, hosts)
    assert "s%40cret" not in repr(store)


@pytest.mark.parametrize(
    "text",
    [
        "postgres://app@db.example/data",
        "postgres://app:a%3Ab@[2001:db8::1]:6000,db.example:6001/data?target_session_attrs=any",
        SEVERAL,
    ],
)
def test_what_it_says_is_what_the_driver_reads_in_it(text, tmp_path):
    ours, theirs = options(read(text, tmp_path)), conninfo_to_dict(text)
    assert {**theirs, "port": ours["port"]}.items() <= ours.items()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("postgres://app@db-1,db-2/data", "target_session_attrs=read-write"),
        ("postgres://app@db-1,/data?target_session_attrs=read-write", "a user and a host"),
        ("postgres://app@db:port/data", "a port that is no number"),
        ("postgres://app@db:70000/data", "a port that is no number"),
        ("postgres://db/data", "a user and a host"),
        ("postgres://app@/data", "a user and a host"),
        ("postgres://app@db/", "the name of a database"),
        ("postgres://app@db/data?application_name=x", "application_name"),
    ],
)
def test_a_wrong_address_says_why_and_not_itself(text, why, tmp_path):
    with pytest.raises(ValueError, match=why) as refused:
        parse_address(text, tmp_path)
    assert "app@" not in str(refused.value)
