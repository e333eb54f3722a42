"""What the status page tells about a house with a client, in a process of its own: Django knows one house."""

from __future__ import annotations

import subprocess
import sys

import pytest

from holdfast.edges.console import status
from holdfast.kit.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from holdfast.kit.config import load_settings
from support.server import environment
from support.stores import SmallHouse, raw

_ASK = """
import django; django.setup()
from django.test import Client
page = Client(headers={"host": "localhost"}).get("/status")
print(page.status_code); print(page.content.decode())
"""


def page_of(home) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _ASK],
        env=environment(home, HOLDFAST_HOUSE="Harbour CX"),
        capture_output=True,
        text=True,
        check=True,
    )
    code, _, text = done.stdout.partition("\n")
    assert code == "200"
    return text


def test_the_page_counts_what_each_client_has(tmp_path):
    house = SmallHouse(tmp_path / "house")
    raw(
        house.data,
        "INSERT INTO decision_client VALUES ('bank-01', 'First <Bank>', 'open', 3, 1, 1, '', '', '', 0, 0)",
    )
    raw(
        house.data, "INSERT INTO vault_collection VALUES ('bank-01', 'customers', 1, '', '', '', 1)"
    )
    raw(
        house.data, "INSERT INTO vault_collection VALUES ('bank-01', 'customers', 2, '', '', '', 1)"
    )
    for number in range(1001):
        row = (f"cus_{number}",)
        raw(house.data, "INSERT INTO vault_customer VALUES ('bank-01', ?, 'live', 1)", row)
    house.close()
    text = page_of(house.settings.home)
    assert "Harbour CX" in text
    assert "First &lt;Bank&gt;" in text
    assert "v3" in text
    assert '<td class="num">1</td>' in text
    assert '<td class="num">1\u202f001</td>' in text


def test_the_page_opens_where_there_is_no_house_and_says_what_to_do(tmp_path):
    text = page_of(tmp_path / "none")
    assert "holdfast init" in text
    assert "No client yet" in text
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("span", "told"),
    [
        (0, "just now"),
        (SECOND_US, "1 s ago"),
        (119 * SECOND_US, "1 min ago"),
        (5 * MINUTE_US, "5 min ago"),
        (3 * HOUR_US, "3 h ago"),
        (2 * DAY_US, "2 d ago"),
    ],
)
def test_an_age_is_told_in_the_largest_unit_that_fits(span, told):
    assert status.ago(span) == told


def test_many_readers_cause_one_look(tmp_path):
    lookout = status.Lookout(load_settings(tmp_path / "none", {}), keep_s=3600)
    assert lookout.status() is lookout.status()
    assert status.Lookout(load_settings(tmp_path / "none", {}), keep_s=-1).status().failed
