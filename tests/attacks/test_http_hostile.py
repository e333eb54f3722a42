"""Somebody talks to a listener only to hold it up: others are served meanwhile, and its memory stays what it was."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from holdfast.edges.listening import MOST_BUFFER_BYTES, MOST_CONNECTIONS
from support.live import LiveBank

pytestmark = [pytest.mark.slow, pytest.mark.server]

MANY = 1500  # more than wait for a place, fewer than there are
assert MANY < MOST_CONNECTIONS
PATIENCE_S = 180  # only keeps a broken server from hanging the run
HEAD = b"POST /v1/reveal HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    with LiveBank(tmp_path_factory.mktemp("hostile") / "house") as bank:
        bank.connect()
        yield bank


@contextmanager
def connections(bank, count, first=b""):
    """Connections that said ``first`` and no more."""
    with ExitStack() as stack:
        found = []
        for _ in range(count):
            one = socket.create_connection(("127.0.0.1", bank.port), timeout=PATIENCE_S)
            stack.callback(one.close)
            if first:
                one.sendall(first)
            found.append(one)
        yield found


def megabytes(bank):
    """Resident memory of the data plane."""
    pid = bank.process.pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if b"dataplane" in Path(f"/proc/{child}/cmdline").read_bytes():
            status = Path(f"/proc/{child}/status").read_text()
            return int(status.partition("VmRSS:")[2].split()[0]) // 1024
    raise AssertionError("there is no data plane")


def is_served(bank):
    answer = bank.reveal("name")
    return answer.status == 200 and answer.body["fields"]["name"]["value"]


def everything(connection):
    """What comes until the server closes."""
    found = b""
    try:
        while part := connection.recv(65536):
            found += part
    except ConnectionResetError:
        pass
    return found


def test_idle_connections_keep_nobody_out_and_are_closed(bank):
    before = megabytes(bank)
    with connections(bank, MANY) as idle:
        assert is_served(bank)
        assert megabytes(bank) < before + 64
        for one in (idle[0], idle[-1]):
            assert everything(one) == b""


def test_half_a_header_is_not_waited_for(bank):
    with connections(bank, 400, HEAD + b"X-Slow: a") as slow:
        assert is_served(bank)
        answer = everything(slow[0])
        assert answer == b"" or answer.startswith(b"HTTP/1.1 408")


def test_a_body_that_comes_a_byte_at_a_time(bank):
    """Even by who is known: their own share is all that they hold, and not for long."""
    head = HEAD + b"Content-Length: 1000\r\nAuthorization: Bearer %s\r\n\r\n{"
    with connections(bank, 40, head % bank.token.encode()) as slow:
        answer = bank.reveal("name", token=bank.other_token)
        assert answer.status == 403, "another credential is judged, not kept waiting"
        assert everything(slow[0]).startswith(b"HTTP/1.1 408")


def test_strangers_with_slow_bodies_take_no_place_from_the_known(bank):
    with connections(bank, 400, HEAD + b"Content-Length: 1000\r\n\r\n{"):
        assert is_served(bank)


def test_a_body_without_end(bank):
    chunk = b"4000\r\n" + b"[" * 0x4000 + b"\r\n"
    before = megabytes(bank)
    for path in (b"/v1/reveal", b"/v1/feeds/bank-acd"):
        head = HEAD.replace(b"/v1/reveal", path) + b"Transfer-Encoding: chunked\r\n"
        head += b"Authorization: Bearer %s\r\n\r\n" % bank.token.encode()
        with connections(bank, 1, head) as (one,):
            try:
                for _ in range(4096):
                    one.sendall(chunk)
            except (BrokenPipeError, ConnectionResetError):
                pass
    assert megabytes(bank) < before + 64
    assert is_served(bank)


def test_too_large_again_and_again(bank):
    before = megabytes(bank)
    body = b"[" * 200_000
    for _ in range(200):
        answer = bank.request("POST", "/v1/reveal", body, {"Authorization": f"Bearer {bank.token}"})
        assert answer.status in {413, 429}
    assert megabytes(bank) < before + 32


def test_headers_larger_than_any_has_a_use_for(bank):
    before = megabytes(bank)
    for extra in (
        b"X-Big: " + b"a" * MOST_BUFFER_BYTES,
        b"".join(b"X-%d: a\r\n" % n for n in range(2000)),
    ):
        with connections(bank, 20, HEAD + extra + b"\r\n\r\n") as loud:
            for one in loud:
                assert not everything(one).startswith(b"HTTP/1.1 2")
    assert megabytes(bank) < before + 32
    assert is_served(bank)


def test_who_never_reads_an_answer_takes_no_memory_and_no_turn(bank):
    """Each of them is owed gigabytes: what it has not read is not made yet."""
    before = megabytes(bank)
    one = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with connections(bank, 30, one * 400) as deaf:
        assert is_served(bank)
        assert megabytes(bank) < before + 64
        for connection in deaf:
            assert connection.recv(12) == b"HTTP/1.1 200"


def test_the_console_answers_beside_idle_connections(bank):
    with ExitStack() as stack:
        for _ in range(MANY):
            one = socket.create_connection(("127.0.0.1", bank.console_port), timeout=PATIENCE_S)
            stack.callback(one.close)
        with closing(HTTPConnection("127.0.0.1", bank.console_port, timeout=PATIENCE_S)) as other:
            other.request("GET", "/healthz")
            assert other.getresponse().status == 200


def test_slow_bodies_do_not_hold_the_consoles_threads(bank):
    """A body is waited for beside the threads, and not for long."""
    head = b"POST /sign-out HTTP/1.1\r\nHost: localhost\r\nCookie: csrftoken=" + b"a" * 32
    head += b"\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nx"
    with ExitStack() as stack:
        slow = []
        for _ in range(32):
            one = socket.create_connection(("127.0.0.1", bank.console_port), timeout=PATIENCE_S)
            stack.callback(one.close)
            one.sendall(head)
            slow.append(one)
        with closing(HTTPConnection("127.0.0.1", bank.console_port, timeout=PATIENCE_S)) as other:
            other.request("GET", "/healthz")
            assert other.getresponse().status == 200
        assert {one.recv(12) for one in slow} == {b"HTTP/1.1 408"}


@pytest.mark.parametrize(
    ("more", "status"),
    [
        (b"Content-Length: 99999999\r\n\r\n", 413),
        (b"Content-Length: -1\r\n\r\n", 400),
        (b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 403),
    ],
)
def test_a_body_of_no_use_is_refused_by_the_console(bank, more, status):
    with socket.create_connection(("127.0.0.1", bank.console_port), timeout=PATIENCE_S) as one:
        one.sendall(b"POST /sign-out HTTP/1.1\r\nHost: localhost\r\n" + more)
        assert one.recv(12) == b"HTTP/1.1 %d" % status


def test_http_2_is_not_spoken(bank):
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
    with connections(bank, 1, preface) as (one,):
        assert b"HTTP/1.1 2" not in everything(one)


@pytest.mark.parametrize(
    "body",
    [
        b"\xff" * 100,
        b'{"client": "\xc3\x28"}',
        b"[" * 60_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    ],
)
def test_bytes_that_are_no_json_of_any_use(bank, body):
    answer = bank.request("POST", "/v1/reveal", body, {"Authorization": f"Bearer {bank.token}"})
    assert answer.status == 400
    assert json.loads(answer.raw)["field"]
