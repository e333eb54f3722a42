"""Attacks with what is not a request: malformed, oversized, nested, doubled, misaddressed.

Each gets a problem that names the field, none writes a line, none makes a traceback, and the server goes on.
"""

from __future__ import annotations

import json
import socket
from contextlib import closing

import pytest

from support.live import LiveBank, lines
from support.server import LIMIT_S

pytestmark = [pytest.mark.slow, pytest.mark.server]


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    with LiveBank(tmp_path_factory.mktemp("live") / "house") as bank:
        bank.connect()
        assert bank.reveal("name").status == 200
        yield bank
    log = bank.stderr.read_text()
    assert "Traceback" not in log
    assert "operation_failed" not in log
    assert "request_failed" not in log


@pytest.fixture(autouse=True)
def nothing_is_written(bank):
    before = lines(bank)
    yield
    assert lines(bank) == before
    assert bank.request("GET", "/healthz").status == 200


def is_problem(answer, status, field=None):
    assert answer.status == status, answer.raw
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["status"] == status
    assert answer.body["code"]
    if field is not None:
        assert answer.body["field"] == field, answer.raw


BODIES = {
    "nothing": (b"", "body"),
    "no_json": (b"customer=1", "body"),
    "half": (b'{"client": "bank-01"', "body"),
    "a_list": (b"[]", "body"),
    "a_number": (b"1", "body"),
    "null": (b"null", "body"),
    "two_documents": (b"[] []", "body"),
    "latin_1": ('{"client": "bänk"}'.encode("latin-1"), "body"),
    "utf_16": ('{"client": "bank-01"}'.encode("utf-16"), "body"),
    "a_byte_order_mark": (b"\xef\xbb\xbf{}", "body"),
    "half_a_character": (b'{"client": "\xc3"}', "body"),
    "a_lone_surrogate": (rb'{"client": "\ud800"}', "body"),
    "deep_lists": (b"[" * 60_000, "body"),
    "deep_objects": (b'{"purpose":' * 5_000 + b"1" + b"}" * 5_000, None),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_none(bank, name):
    body, field = BODIES[name]
    for path in ("search", "reveal", "verify", "update", "reason"):
        answer = bank.post(f"/v1/{path}", body, bank.token)
        is_problem(answer, 400)
        assert field in {None, answer.body["field"]}


CHANGES = {
    "no_client": ({"client": None}, "client"),
    "an_empty_client": ({"client": ""}, "client"),
    "a_client_that_is_a_number": ({"client": 7}, "client"),
    "a_client_with_a_nul": ({"client": "bank-01\x00"}, "client"),
    "a_client_with_a_newline": ({"client": "bank-01\n"}, "client"),
    "a_long_client": ({"client": "b" * 129}, "client"),
    "a_path_for_a_collection": ({"collection": "../customers"}, "collection"),
    "no_purpose": ({"purpose": None}, "purpose"),
    "a_purpose_in_words": ({"purpose": "just looking"}, "purpose"),
    "a_purpose_with_more": (
        {"purpose": {"contact": "CT-1", "reason": "dispute"}},
        "purpose.reason",
    ),
    "no_contact": ({"purpose": {}}, "purpose"),
    "no_fields": ({"fields": []}, "fields"),
    "fields_in_one_word": ({"fields": "name"}, "fields"),
    "a_field_that_is_none": ({"fields": ["name", None]}, "fields[1]"),
    "a_star": ({"fields": ["*"]}, "fields[0]"),
    "too_many_fields": ({"fields": ["name"] * 65}, "fields"),
    "a_customer_that_is_a_list": ({"customer": ["C00001"]}, "customer"),
    "a_member_too_many": ({"as": "admin"}, "as"),
    "a_member_of_the_permit": ({"presentation": "clear"}, "presentation"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_body_with_something_wrong_in_it(bank, name):
    changes, field = CHANGES[name]
    body = bank.look()
    for key, value in changes.items():
        body.pop(key, None)
        if value is not None:
            body[key] = value
    is_problem(bank.post("/v1/reveal", body, bank.token), 400, field)


def test_what_was_wrong_is_named_and_never_repeated(bank):
    secret = "4111111111111111"
    for changes in ({"client": [secret]}, {"fields": [secret]}, {"customer": {"id": secret}}):
        answer = bank.post("/v1/reveal", bank.look(**changes), bank.token)
        assert answer.status == 400
        assert secret.encode() not in answer.raw


def test_a_member_twice_is_one_of_the_two_and_nothing_in_between(bank):
    """The last one counts (RFC 8259 leaves it open); it is validated like any other."""
    raw = json.dumps(bank.look()).replace('"fields"', '"fields": ["balance"], "fields"', 1)
    raw = raw.replace('["name"]', '"*"')
    is_problem(bank.post("/v1/reveal", raw.encode(), bank.token), 400, "fields")


def test_both_ways_to_verify_at_once_and_neither(bank):
    body = bank.look(fields=None)
    for answers, field in (
        ({}, "answers"),
        ({"field": "dob", "answer": "1990-01-01", "answers": {"dob": "1990-01-01"}}, "answers"),
        ({"field": "dob"}, "answer"),
        ({"answers": {}}, "answers"),
        ({"answers": {"dob": "x" * 2049}}, "answers[...]"),
        ({"answers": {"dob": "\x00"}}, "answers[...]"),
    ):
        is_problem(bank.post("/v1/verify", {**body, **answers}, bank.token), 400, field)


def test_a_search_by_nothing_and_by_two_things(bank):
    for by in ({}, {"phone": "+12025550101", "acct": "1"}, {"*": "1"}, {"phone": None}):
        answer = bank.post("/v1/search", bank.look(customer=None, fields=None, by=by), bank.token)
        assert answer.status == 400
        assert answer.body["field"].startswith("by")


def test_an_oversized_body_declared_and_undeclared(bank):
    big = json.dumps(bank.look(fields=["a" * 60] * 2_000)).encode()
    is_problem(bank.post("/v1/reveal", big, bank.token), 413, "body")
    head = f"Host: localhost\r\nAuthorization: Bearer {bank.token}\r\nConnection: close\r\n"
    head += "Transfer-Encoding: chunked"
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    reply = raw(
        bank, f"POST /v1/reveal HTTP/1.1\r\n{head}\r\n\r\n".encode() + chunk * 2 + b"0\r\n\r\n"
    )
    assert reply.startswith(b"HTTP/1.1 413 ")


TOKENS = {
    "none": None,
    "empty": "",
    "no_scheme": "holdfast_whatever_this_is_x",
    "basic": "Basic YTpi",
    "short": "Bearer abc",
    "unknown": "Bearer " + "x" * 43,
    "long": "Bearer " + "x" * 300,
    "two_words": "Bearer aaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbb",
    "not_ascii": "Bearer ääääääääääääääääääääää",
}


@pytest.mark.parametrize("name", TOKENS)
@pytest.mark.parametrize("path", ["/v1/reveal", "/v1/search", "/v1/reason"])
def test_a_request_without_a_credential(bank, name, path):
    headers = {"Authorization": TOKENS[name]} if TOKENS[name] is not None else {}
    body = {
        "/v1/reveal": bank.look(),
        "/v1/search": bank.look(customer=None, fields=None, by={"phone": "+12025550101"}),
        "/v1/reason": {"contact": "CT-1", "reason": "dispute"},
    }[path]
    headers = {key: value.encode().decode("latin-1") for key, value in headers.items()}
    answer = bank.request("POST", path, body, headers)
    is_problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("name", ["short", "two_words", "no_scheme"])
def test_a_second_token_that_is_none(bank, name):
    answer = bank.reveal("name", Holdfast_Step_Up=TOKENS[name])
    is_problem(answer, 401)


@pytest.mark.parametrize("key", ["", "a b", "ä", "k" * 129, "a\tk"])
def test_an_idempotency_key_that_is_none(bank, key):
    answer = bank.reveal("name", Idempotency_Key=key.encode().decode("latin-1"))
    is_problem(answer, 400, "Idempotency-Key")


def raw(bank, request):
    """Send bytes; return what comes back until the server closes."""
    with closing(socket.create_connection(("127.0.0.1", bank.port), timeout=LIMIT_S)) as connection:
        connection.sendall(request)
        found = b""
        try:
            while part := connection.recv(65536):
                found += part
        except (TimeoutError, ConnectionResetError):
            pass
    return found


def posted(bank, *headers, target="/v1/reveal", version="HTTP/1.1"):
    body = json.dumps(bank.look()).encode()
    head = "\r\n".join([f"POST {target} {version}", *headers, "Connection: close"])
    return raw(bank, head.encode("latin-1") + b"\r\n\r\n" + body)


@pytest.mark.parametrize(
    "name",
    ["Authorization", "Idempotency-Key", "Holdfast-Step-Up", "Holdfast-Signature"],
)
def test_a_header_twice(bank, name):
    length = len(json.dumps(bank.look()))
    value = {"Authorization": f"Bearer {bank.token}"}.get(name, "once")
    reply = posted(
        bank,
        "Host: localhost",
        f"Content-Length: {length}",
        *([f"Authorization: Bearer {bank.token}"] if name != "Authorization" else []),
        f"{name}: {value}",
        f"{name}: {value}",
    )
    assert reply.startswith(b"HTTP/1.1 400 ")
    assert f'"field":"{name.lower()}"'.encode() in reply


@pytest.mark.parametrize(
    "headers",
    [
        ("Host: localhost", "Content-Length: 10", "Content-Length: 20"),
        ("Host: localhost", "Content-Length: -1"),
        ("Host: localhost", "Content-Length: 1e3"),
        ("Host: localhost", "Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Host: localhost", "Transfer-Encoding: gzip"),
        ("Host: localhost\x00",),
        ("Host: localhost", "no colon here"),
        ("Host : localhost",),
        ("Host: localhost", " folded: yes"),
    ],
)
def test_a_request_that_two_servers_would_read_differently(bank, headers):
    reply = posted(bank, *headers, f"Authorization: Bearer {bank.token}")
    assert b" 200 " not in reply[:20]
    assert b" 50" not in reply[:12]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.2", "", "localhost@evil.example", "*"],
)
def test_another_hosts_name(bank, host):
    answer = bank.request("POST", "/v1/reveal", bank.look(), {"Host": host})
    is_problem(answer, 421, "Host")


def test_no_host_at_all(bank):
    reply = posted(bank, f"Authorization: Bearer {bank.token}", "Content-Length: 2")
    assert reply[9:12] in {b"400", b"421"}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/reveal/",
        "/v1//reveal",
        "/V1/reveal",
        "/v1/reveal/../reveal",
        "/v1/reveal%00",
        "/v1/decisions/",
        "/v1/decisions/a/b",
        "/admin",
        "/.env",
        "/logs/",
        "/v2/reveal",
    ],
)
def test_an_address_that_is_none(bank, path):
    auth = {"Authorization": f"Bearer {bank.token}"}
    is_problem(bank.request("POST", path, bank.look(), auth), 404)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "BREW"])
def test_a_method_that_is_none(bank, method):
    answer = bank.request(method, "/v1/reveal", None, {"Authorization": f"Bearer {bank.token}"})
    assert answer.status in {400, 405}
    if answer.status == 405:
        assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "path",
    [
        "/logs/client-bank-01/../../root.key",
        "/logs/client-bank-01/%2e%2e/%2e%2e/root.key",
        "/logs/..%2f..%2froot.key/checkpoint",
        "/logs/%2e%2e/root.key",
        "/logs/client-bank-01//etc/passwd",
        "/logs/client-bank-01/%00",
        "/logs/house/checkpoint",
    ],
)
@pytest.mark.parametrize("who", ["agent", "admin"])
def test_a_file_that_is_no_logs(bank, path, who):
    token = bank.token if who == "agent" else bank.admin_token
    answer = bank.request("GET", path, None, {"Authorization": f"Bearer {token}"})
    if (path, who) == ("/logs/house/checkpoint", "admin"):
        assert answer.status in {200, 404}
        return
    assert answer.status in {400, 404}, answer.raw
    assert b"root" not in answer.raw
    assert b"wrapped" not in answer.raw


@pytest.mark.parametrize(
    "ident", ["x" * 5000, "%00", "dec_%ff", "'--", "..%2f..", "dec_%F0%9F%99%82"]
)
def test_a_decision_id_that_is_none(bank, ident):
    path = f"/v1/decisions/{ident}"
    answer = bank.request("GET", path, None, {"Authorization": f"Bearer {bank.token}"})
    assert answer.status in {400, 404, 414}, answer.raw


def test_an_unsigned_batch_of_events(bank):
    event = bank.event("connected", person="A0001")
    for signature in ("", "t=1", "t=x,kid=y,v1=z", "ä", "t=1,kid=k,v1=" + "0" * 64, "," * 5000):
        headers = {"Holdfast-Signature": signature.encode().decode("latin-1")}
        answer = bank.request("POST", "/v1/feeds/bank-acd", event, headers)
        assert 400 <= answer.status < 500, answer.raw
    assert bank.request("POST", "/v1/feeds/nobody", event, {}).status in {400, 401, 404}


@pytest.mark.parametrize("path", ["/v1/reveal", "/v1/search", "/v1/export", "/v1/freeze"])
@pytest.mark.parametrize("raw", [b"", b"{", b'{"client": 1}', b"x" * 200_000])
def test_who_shows_no_token_is_not_told_what_is_wrong_with_the_body(bank, path, raw):
    answer = bank.request("POST", path, raw, {"Content-Type": "application/json"})
    is_problem(answer, 401)
    assert "field" not in answer.body
