"""The peers' drivers against servers that really encrypt, keep, find, delete and refuse."""

from __future__ import annotations

from contextlib import closing

import pytest
from bench.peer.databunker import Databunker
from bench.peer.openbao import OpenBao
from bench.peer.port import Http, PeerFailed
from bench.peers import Timing, asked, drivers, records
from bench.storage import Files
from bench.workload import Run

from support.peers import TOKEN, Bunker, Transit, served

KEPT = records(3)
ONE = "C00001"


@pytest.fixture
def transit():
    api = Transit()
    with served(api) as url, closing(OpenBao(url, TOKEN)) as driver:
        yield api, driver, url


@pytest.fixture
def bunker():
    api = Bunker()
    with served(api) as url, closing(Databunker(url, TOKEN)) as driver:
        yield api, driver, url


def test_transit_returns_what_it_encrypted(transit):
    _, driver, _ = transit
    driver.store(ONE, KEPT[ONE])
    assert driver.read(ONE, ["phone", "name"]) == {
        "phone": KEPT[ONE]["phone"],
        "name": KEPT[ONE]["name"],
    }


def test_each_customer_has_a_transit_key_of_their_own(transit):
    api, driver, _ = transit
    for subject, record in KEPT.items():
        driver.store(subject, record)
    assert set(api.keys) == set(KEPT)
    sealed = [text for kept in driver._kept.values() for text in kept.values()]
    assert all(text.startswith("vault:v1:") for text in sealed)
    assert not any(KEPT[ONE]["name"] in text for text in sealed)


def test_a_ciphertext_of_another_field_is_refused(transit):
    _, driver, _ = transit
    driver.store(ONE, KEPT[ONE])
    driver._kept[ONE]["name"] = driver._kept[ONE]["phone"]
    with pytest.raises(PeerFailed, match="authentication failed"):
        driver.read(ONE, ["name", "email"])


def test_a_deleted_transit_key_opens_nothing(transit):
    api, driver, _ = transit
    driver.store(ONE, KEPT[ONE])
    kept = dict(driver._kept)
    driver.delete(ONE)
    driver._kept = kept
    assert api.keys == {}
    with pytest.raises(PeerFailed, match="not found"):
        driver.read(ONE, ["name"])


def test_transit_finds_nobody(transit):
    _, driver, _ = transit
    assert not driver.finds
    with pytest.raises(PeerFailed):
        driver.find(KEPT[ONE]["phone"])


def test_databunker_returns_what_it_keeps(bunker):
    api, driver, _ = bunker
    driver.store(ONE, KEPT[ONE])
    assert driver.read(ONE, list(KEPT[ONE])) == KEPT[ONE]
    ((_, sealed),) = api.users.values()
    assert KEPT[ONE]["name"].encode() not in sealed


def test_databunker_finds_by_phone(bunker):
    _, driver, _ = bunker
    for subject, record in KEPT.items():
        driver.store(subject, record)
    assert [driver.find(record["phone"]) for record in KEPT.values()] == list(KEPT)
    assert driver.find("+12025550999") == ""


def test_databunker_deletes(bunker):
    api, driver, _ = bunker
    driver.store(ONE, KEPT[ONE])
    driver.delete(ONE)
    assert (api.users, api.index, driver.find(KEPT[ONE]["phone"])) == ({}, {}, "")


def test_databunker_refuses_a_phone_that_is_taken(bunker):
    _, driver, _ = bunker
    driver.store(ONE, KEPT[ONE])
    with pytest.raises(PeerFailed, match="duplicate"):
        driver.store("C00002", {**KEPT["C00002"], "phone": KEPT[ONE]["phone"]})


@pytest.mark.parametrize(("api", "driver"), [(Transit, OpenBao), (Bunker, Databunker)])
def test_a_wrong_token_is_told(api, driver):
    with (
        served(api()) as url,
        closing(driver(url, "wrong")) as one,
        pytest.raises(PeerFailed, match="answered 40"),
    ):
        one.store(ONE, KEPT[ONE])


@pytest.mark.parametrize("url", ["127.0.0.1:8200", "ftp://example.com", "http://"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(PeerFailed, match="no address"):
        Http(url, {})


def test_peers_are_present_where_their_addresses_are_given(transit, bunker):
    given = {
        "HOLDFAST_BENCH_OPENBAO_URL": transit[2],
        "HOLDFAST_BENCH_OPENBAO_TOKEN": TOKEN,
    }
    found, absent = drivers(given)
    assert ([one.name for one in found], absent) == (["OpenBao transit"], ["Databunker"])
    given |= {
        "HOLDFAST_BENCH_DATABUNKER_URL": bunker[2],
        "HOLDFAST_BENCH_DATABUNKER_TOKEN": TOKEN,
    }
    assert drivers(given)[1] == []
    assert drivers({})[0] == []


def test_an_address_without_a_token_is_a_mistake():
    with pytest.raises(SystemExit, match="HOLDFAST_BENCH_OPENBAO_TOKEN"):
        drivers({"HOLDFAST_BENCH_OPENBAO_URL": "http://127.0.0.1:1"})


@pytest.mark.parametrize(("peer", "lines"), [("transit", 4), ("bunker", 5)])
def test_a_peer_is_asked_for_all_that_it_can_do(peer, lines, request, tmp_path):
    driver = request.getfixturevalue(peer)[1]
    timing = Timing(Run(Files(), tmp_path, 1), driver)
    asked(timing, driver, KEPT, 2)
    counts = [line.operations for line in timing.lines]
    assert len(counts) == lines
    assert counts[:3] == [3, 6, 6]
    assert all(line.cpu_s.client is not None and line.cpu_s.ours is None for line in timing.lines)


def test_a_peer_that_returns_something_else_is_no_peer(bunker, tmp_path):
    kept = {ONE: KEPT[ONE]}

    class Forgetful(Databunker):
        def read(self, subject, fields):
            return {**super().read(subject, fields), "name": "somebody else"}

    with (
        closing(Forgetful(bunker[2], TOKEN)) as forgetful,
        pytest.raises(SystemExit, match=r"what it was given: \['name'\]"),
    ):
        asked(Timing(Run(Files(), tmp_path, 1), forgetful), forgetful, kept, 1)
