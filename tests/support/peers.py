"""Servers on loopback that do what the peers' HTTP APIs are documented to do: encrypt, keep, find, delete, refuse.

They stand in for OpenBao and Databunker in tests of the drivers, which talk to them over real connections.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from os import urandom
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from uuid import uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "peer-token"
Answer = tuple[int, Any]


class Api:
    """An API: which header holds the token, and what it answers."""

    header = ""

    def unauthorised(self) -> Answer:
        raise NotImplementedError

    def answer(self, method: str, path: list[str], body: Any) -> Answer:
        raise NotImplementedError


class Transit(Api):
    """A transit engine: named keys of AES-256-GCM, batches, associated data; keys are deletable once allowed."""

    header = "X-Vault-Token"

    def __init__(self) -> None:
        self.keys: dict[str, bytes] = {}
        self.deletable: set[str] = set()

    def unauthorised(self) -> Answer:
        return 403, {"errors": ["permission denied"]}

    def answer(self, method: str, path: list[str], body: Any) -> Answer:
        match method, path:
            case "POST", ["v1", "transit", "keys", name]:
                self.keys.setdefault(name, urandom(32))
                return 200, {"data": {"name": name, "type": body["type"]}}
            case "POST", ["v1", "transit", "keys", name, "config"]:
                self.deletable |= {name} if body.get("deletion_allowed") else set()
                return 200, {"data": {"name": name}}
            case "DELETE", ["v1", "transit", "keys", name]:
                if name not in self.deletable:
                    return 400, {"errors": ["deletion is not allowed for this key"]}
                del self.keys[name]
                return 204, None
            case "POST", ["v1", "transit", "encrypt" | "decrypt" as what, name]:
                return self._batch(what, name, body["batch_input"])
            case _:
                return 404, {"errors": []}

    def _batch(self, what: str, name: str, items: list[dict[str, str]]) -> Answer:
        if not items:
            return 400, {"errors": ["missing batch input to process"]}
        if name not in self.keys and what == "decrypt":
            return 400, {"errors": ["encryption key not found"]}
        cipher = AESGCM(self.keys.setdefault(name, urandom(32)))
        one = _encrypt if what == "encrypt" else _decrypt
        results = [{**one(cipher, item), "reference": item.get("reference", "")} for item in items]
        failed = all("error" in result for result in results)
        return 400 if failed else 200, {"data": {"batch_results": results}}


def _encrypt(cipher: AESGCM, item: dict[str, str]) -> dict[str, Any]:
    nonce, bound = urandom(12), b64decode(item.get("associated_data", ""))
    sealed = nonce + cipher.encrypt(nonce, b64decode(item["plaintext"], validate=True), bound)
    return {"ciphertext": f"vault:v1:{b64encode(sealed).decode()}", "key_version": 1}


def _decrypt(cipher: AESGCM, item: dict[str, str]) -> dict[str, Any]:
    try:
        sealed = b64decode(item["ciphertext"].removeprefix("vault:v1:"), validate=True)
        bound = b64decode(item.get("associated_data", ""))
        return {"plaintext": b64encode(cipher.decrypt(sealed[:12], sealed[12:], bound)).decode()}
    except (InvalidTag, NotBase64):
        return {"plaintext": "", "error": "cipher: message authentication failed"}


class Bunker(Api):
    """Users, each encrypted with a key of their own, found by token, login, e-mail or phone, which are unique."""

    header = "X-Bunker-Token"
    indexed = ("login", "email", "phone")

    def __init__(self) -> None:
        self.users: dict[str, tuple[bytes, bytes]] = {}
        self.index: dict[tuple[str, str], str] = {}

    def unauthorised(self) -> Answer:
        return 401, {"status": "error", "message": "access denied"}

    def answer(self, method: str, path: list[str], body: Any) -> Answer:
        match method, path:
            case "POST", ["v1", "user"]:
                return self._create(body)
            case "GET", ["v1", "user", mode, identity]:
                return self._get(self._token(mode, identity))
            case "DELETE", ["v1", "user", mode, identity]:
                return self._delete(self._token(mode, identity))
            case _:
                return 404, {"status": "error", "message": "url not found"}

    def _create(self, record: dict[str, str]) -> Answer:
        names = [(mode, record[mode]) for mode in self.indexed if record.get(mode)]
        for mode, identity in names:
            if (mode, identity) in self.index:
                return 405, {"status": "error", "message": f"duplicate index: {mode}"}
        token, key, nonce = str(uuid4()), urandom(32), urandom(12)
        sealed = AESGCM(key).encrypt(nonce, json.dumps(record).encode(), token.encode())
        self.users[token] = key, nonce + sealed
        self.index |= dict.fromkeys(names, token)
        return 200, {"status": "ok", "token": token}

    def _token(self, mode: str, identity: str) -> str:
        return identity if mode == "token" else self.index.get((mode, identity), "")

    def _get(self, token: str) -> Answer:
        if token not in self.users:
            return 405, {"status": "error", "message": "record not found"}
        key, sealed = self.users[token]
        opened = AESGCM(key).decrypt(sealed[:12], sealed[12:], token.encode())
        return 200, {"status": "ok", "token": token, "data": json.loads(opened)}

    def _delete(self, token: str) -> Answer:
        if self.users.pop(token, None) is None:
            return 405, {"status": "error", "message": "record not found"}
        self.index = {name: whose for name, whose in self.index.items() if whose != token}
        return 200, {"status": "ok", "result": "done"}


@contextmanager
def served(api: Api) -> Iterator[str]:
    """Serve an API on a free loopback port; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            if self.headers.get(api.header) != TOKEN:
                status, answer = api.unauthorised()
            else:
                path = [unquote(part) for part in self.path.strip("/").split("/")]
                status, answer = api.answer(self.command, path, json.loads(raw) if raw else None)
            self._send(status, b"" if answer is None else json.dumps(answer).encode())

        def _send(self, status: int, raw: bytes) -> None:
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_DELETE = _any  # noqa: N815  http.server names them

        def log_message(self, *_: object) -> None:
            """A test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
