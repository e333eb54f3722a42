"""An export of a personnel system is read whole: nothing is lost, and what is wrong is told with its line."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kit.clock import HOUR_US
from holdfast.kit.errors import InvalidInput
from holdfast.kit.secret import Secret
from holdfast.procedures.access import rules
from holdfast.procedures.access.services import personnel
from holdfast.spine.identity.credentials import issue
from support.bank import new_bank

HEAD = "Employee ID,Name,Manager,Type,End date"


def steps_of(text, *, pairs=()):
    table = rules.take_apart(text.encode())
    return rules.read(table, rules.mapped(pairs) or rules.guessed(table.columns))


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        ("﻿Employee ID,Name\nA1,Zoë\n".encode(), "UTF-8"),
        ("Employee ID,Name\nA1,Zoë\n".encode(), "UTF-8"),
        ("Employee ID,Name\nA1,Zoë\n".encode("latin-1"), "Latin-1"),
        ("Employee ID;Name\r\nA1;Zoë\r\n".encode(), "UTF-8"),
        ("Employee ID\tName\nA1\tZoë".encode(), "UTF-8"),
    ],
)
def test_what_systems_write_is_read(raw, encoding):
    table = rules.take_apart(raw)
    (one,) = rules.read(table, rules.guessed(table.columns))
    assert (table.encoding, one.line, one.staff_id, one.label) == (encoding, 2, "A1", "Zoë")


def test_each_line_keeps_its_number_also_where_a_cell_has_several():
    said = steps_of(f'{HEAD}\nA1,"two\nlines",,,\n\nA2,x,,,\nA1,y,,,\nA3,x\n,n,,,\nA4,n,,,soon\n')
    assert [(one.line, bool(one.wrong)) for one in said] == [
        (2, True),
        (5, False),
        (6, True),
        (7, True),
        (8, True),
        (9, True),
    ]
    assert said[2].wrong == "the same staff id as in line 2"


def test_columns_are_mapped_by_name():
    (one,) = steps_of(
        "Nr,Who,Gone\nA1,Front desk,2026-12-31\n", pairs=["Nr=staff_id", "Who=label", "Gone=exit"]
    )
    assert (one.staff_id, one.label, one.exit) == ("A1", "Front desk", date(2026, 12, 31))


@pytest.mark.parametrize(
    "pairs", [["Nr"], ["Nr=nothing"], ["Nr=staff_id", "X=staff_id"], ["X=staff_id"], ["Nr=label"]]
)
def test_a_mapping_that_means_nothing_is_refused(pairs):
    with pytest.raises(InvalidInput):
        steps_of("Nr,Who\nA1,x\n", pairs=pairs)


@pytest.mark.parametrize(
    "raw", [b"", b"\n\n", b"only,a,head\n", b"a\0b\n1\n", b'a\n"' + b"x" * 200_000]
)
def test_what_is_no_list_is_refused(raw):
    with pytest.raises(InvalidInput):
        rules.take_apart(raw)


CELLS = st.text(st.characters(codec="utf-8", exclude_characters='\0"\r\n,;\t'), max_size=12)


@given(st.lists(st.lists(CELLS, min_size=1, max_size=3), min_size=1, max_size=20))
def test_no_line_is_lost(rows):
    full = [row for row in rows if any(cell.strip() for cell in row)]
    body = "\n".join(",".join(row) for row in rows)
    if not full:
        return
    said = steps_of(f"Employee ID,Name\n{body}\n")
    assert len(said) == len(full)
    assert len({one.line for one in said}) == len(full)


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "bank")
    token = bank.house.transact(
        issue(person=bank.admin, life_us=HOUR_US, now_us=bank.clock.now_us())
    )
    bank.house.settings = replace(bank.house.settings, token=Secret(token.secret.reveal()))
    yield bank
    bank.close()


def planned(bank, lines):
    said = steps_of(f"{HEAD}\n{lines}\n")
    return bank.house.read(personnel.plan(bank.house, said, "house"))


def test_joiners_leavers_rehires_and_who_leaves_later_are_told_apart(bank):
    today = "2020-01-01"
    lines = f"N1,New,A0002,Contractor,\nA0001,,,,{today}\nA0002,,,,2999-01-01\nN2,,,,{today}"
    steps = planned(bank, lines)
    assert [one.what for one in steps] == ["joins", "leaves", "told", "told"]
    assert steps[0].note == "contractor"
    assert "2999-01-01" in steps[2].note
    assert bank.leaves("person.added") == [], "looking writes nothing"
    done = personnel.follow(bank.house, steps, "house")
    assert [one.what for one in done] == ["joins", "leaves", "told", "told"]
    assert len(bank.leaves("person.left")) == 2
    assert len(bank.leaves("person.line_changed")) == 1
    again = planned(bank, f"N1,New,,,\nA0001,,,,{today}\nA0001,,,,")
    assert [one.what for one in again] == ["stays", "stays", "wrong"]
    (back,) = planned(bank, "A0001,,,,")
    assert back.what == "told"
    assert "another staff id" in back.note


def test_one_that_is_refused_stops_no_other(bank):
    steps = planned(bank, "ADM1,,,,2020-01-01\nN1,New,nobody-knows,,\n")
    done = personnel.follow(bank.house, steps, "house")
    assert [one.what for one in done] == ["wrong", "joins"]
    assert "last_admin" in done[0].note
    assert "reports to nobody yet" in done[1].note
