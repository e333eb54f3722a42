"""The ASGI application: one table of routes, strict parsing, problems that name the field.

A handler turns a request into an operation of the spine and submits it to the turn; it never decides anything itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar
from urllib.parse import parse_qsl, unquote

import msgspec
import structlog

from holdfast.edges.dataplane.door import CHALLENGES, credential_of
from holdfast.edges.dataplane.types import MOST_BODY_BYTES
from holdfast.kit.errors import (
    HoldfastError,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    TooLarge,
    TooMany,
    TooSlow,
    Unavailable,
)
from holdfast.kit.http.problem import CONTENT_TYPE, Problem, problem
from holdfast.kit.log import place_of
from holdfast.spine.identity.credentials import hash_secret

if TYPE_CHECKING:
    from holdfast.edges.dataplane.door import Door
    from holdfast.edges.dataplane.gate import Pass
    from holdfast.edges.dataplane.metrics import Metrics
    from holdfast.spine.identity.presented import Caller, Presented

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
T = TypeVar("T")
log = structlog.get_logger(__name__)

_JSON: Final = b"application/json"
BODY_WITHIN_S: Final = 10.0
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,128}\Z")
_APPROVAL = re.compile(r"apr_[0-9a-hjkmnp-tv-z]{26}\Z")
_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}\Z")
_FIELD = re.compile(r" - at `(?:key` in `)?\$\.?(.*?)`$")
_UNKNOWN = re.compile(r"unknown field `(.*?)`")
_MISSING = re.compile(r"missing required field `(.*?)`")
# A backslash that is escaped itself escapes nothing.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class Request:
    """One request: what handlers may look at."""

    __slots__ = (
        "_door",
        "_query",
        "_receive",
        "entered",
        "headers",
        "method",
        "path",
        "shown",
        "socket",
    )

    def __init__(self, scope: Scope, receive: Receive, door: Door) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.socket: str = scope["client"][0] if scope.get("client") else ""
        self.headers: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name in self.headers and name in _SINGLE:
                raise InvalidInput("a header was sent twice", field=name.decode())
            if name in self.headers and name in _JOINED:
                value = self.headers[name] + b"," + value  # noqa: PLW2901  RFC 9110 §5.3: one list in several lines
            self.headers[name] = value
        self._receive = receive
        self._door = door
        self._query: bytes = scope.get("query_string", b"")
        self.entered: Pass | None = None
        self.shown: list[Presented] = []

    def query(self, *names: str) -> dict[str, str]:
        """The parameters of the address; :class:`InvalidInput` for one that is unknown, repeated or not readable."""
        try:
            pairs = parse_qsl(
                self._query.decode("ascii"),
                keep_blank_values=True,
                strict_parsing=bool(self._query),
                errors="strict",
                max_num_fields=16,
            )
        except ValueError:
            raise InvalidInput("the parameters cannot be read", field="query") from None
        given: dict[str, str] = {}
        for name, value in pairs:
            if name not in names or name in given:
                raise InvalidInput("this parameter is unknown, or sent twice", field=name[:64])
            if "\0" in value:
                raise InvalidInput("the parameter holds a NUL character", field=name)
            given[name] = value
        return given

    async def body(self, most_bytes: int = MOST_BODY_BYTES, *, signed: bool = False) -> bytes:
        """Read the body; :class:`TooLarge` beyond ``most_bytes``, :class:`TooSlow` when it does not come.

        Raises :class:`NotAuthenticated` without reading it when no token came, unless the body is ``signed``: what
        is wrong with it is told to nobody who does not even show a credential.
        """
        if not signed:
            credential_of(self.headers.get(b"authorization"), "Authorization")
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                return await self._body(most_bytes)
        except TimeoutError:
            raise TooSlow(
                f"the body did not come within {BODY_WITHIN_S:.0f} seconds", field="body"
            ) from None

    async def _body(self, most_bytes: int) -> bytes:
        declared = self.headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > most_bytes:
            raise TooLarge(f"the body is over {most_bytes} bytes", field="body")
        message = await self._receive()
        if not message.get("more_body"):
            body: bytes = message.get("body", b"")
        else:
            chunks = [message["body"]]
            size = len(chunks[0])
            while message.get("more_body"):
                message = await self._receive()
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
                if size > most_bytes:
                    raise TooLarge(f"the body is over {most_bytes} bytes", field="body")
            body = b"".join(chunks)
        if len(body) > most_bytes:
            raise TooLarge(f"the body is over {most_bytes} bytes", field="body")
        return body

    def caller(self) -> Caller:
        """Who asks; :class:`NotAuthenticated` without a token, or with a proof of possession that is not good.

        Raises :class:`TooMany` when they ask too fast.
        """
        return self._door.caller(self)

    def name_client(self, client: str) -> None:
        """Say which client the request is about; :class:`TooMany` when too much is asked of it."""
        if self.entered is not None:
            self._door.gate.name_client(self.entered, client)

    def step_up_hash(self) -> bytes | None:
        """Hash of the second, short-lived token, or None."""
        header = self.headers.get(b"holdfast-step-up")
        if header is None:
            return None
        return hash_secret(credential_of(header, "Holdfast-Step-Up").token)

    def approval(self) -> str:
        """Id of an approval that the person has, or empty."""
        given = self.headers.get(b"holdfast-approval", b"").decode("latin-1")
        if given and not _APPROVAL.match(given):
            raise InvalidInput("the id of an approval, apr_…", field="Holdfast-Approval")
        return given

    def idempotency(self, body: bytes) -> tuple[str, bytes] | None:
        """The caller's idempotency key with a digest of the request, or None."""
        raw = self.headers.get(b"idempotency-key")
        if raw is None:
            return None
        key = raw.decode("latin-1")
        if not _IDEMPOTENCY_KEY.match(key):
            raise InvalidInput("1 to 128 visible ASCII characters", field="Idempotency-Key")
        return key, hashlib.sha256(self.path.encode() + b"\n" + body).digest()

    def device(self) -> str:
        """Name that the device gives itself; it counts only against a credential bound to one."""
        return self.headers.get(b"holdfast-device", b"").decode("latin-1")[:128]


_SINGLE = frozenset(
    (
        b"authorization",
        b"client-cert",
        b"dpop",
        b"holdfast-on-behalf-of",
        b"holdfast-on-behalf-of-proof",
        b"holdfast-step-up",
        b"holdfast-approval",
        b"holdfast-device",
        b"holdfast-signature",
        b"idempotency-key",
        b"content-length",
    )
)


_JOINED = frozenset((b"forwarded", b"x-forwarded-for"))
_OPEN = frozenset(("/healthz", "/readyz"))  # for probes of the machine's keeper; they say nothing


class Reply(NamedTuple):
    """What leaves: bytes are ready, nothing is computed any more."""

    status: int
    body: bytes
    content_type: bytes = _JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


Handler = Callable[[Request, dict[str, str]], Awaitable[Reply]]


class Route(NamedTuple):
    """A path template such as ``/v1/decisions/{id}`` and its handler."""

    method: str
    template: str
    handler: Handler
    summary: str


_encoder = msgspec.json.Encoder()
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def json_reply(body: object, status: int = 200) -> Reply:
    """Encode ``body`` as JSON."""
    return Reply(status, _encoder.encode(body))


def problem_reply(given: Problem) -> Reply:
    """Encode a problem document."""
    more = CHALLENGES if given.status == 401 else ()
    return Reply(given.status, _encoder.encode(given), CONTENT_TYPE.encode(), more)


def decode(body: bytes, kind: type[T]) -> T:
    """Parse a JSON body strictly; :class:`InvalidInput` names the field that is wrong and never its value."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    try:
        decoded: T = decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidInput("the body is not valid JSON in UTF-8", field="body") from None
    except RecursionError:
        raise InvalidInput("the body is nested too deeply", field="body") from None
    if b"\\u0000" in body and _NUL.search(body):
        raise InvalidInput("the body holds a NUL character, which no text here has", field="body")
    return decoded


def _invalid(message: str) -> InvalidInput:
    at = _FIELD.search(message)
    parts = [at[1]] if at else []
    named = _UNKNOWN.search(message) or _MISSING.search(message)
    if named:
        parts.append(named[1][:64])
    field = ".".join(part for part in parts if part) or "body"
    return InvalidInput(_FIELD.sub("", message)[:200], field=field)


class App:
    """Routes requests. ``handlers`` come from :mod:`holdfast.edges.dataplane.handlers`.

    ``uses_up`` uses up the proofs of possession of a request that failed.
    """

    def __init__(
        self,
        routes: tuple[Route, ...],
        hosts: frozenset[str],
        metrics: Metrics,
        door: Door,
        *,
        uses_up: Callable[[list[Presented]], Awaitable[None]],
    ) -> None:
        self._exact: dict[str, dict[str, Handler]] = {}
        self._patterns: list[tuple[re.Pattern[str], str, Handler]] = []
        self._hosts = hosts
        self._metrics = metrics
        self._door = door
        self._uses_up = uses_up
        for route in routes:
            if "{" in route.template:
                pattern = re.sub(r"\{(\w+)\*\}", r"(?P<\1>.+)", route.template)
                pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
                self._patterns.append((re.compile(pattern + r"\Z"), route.method, route.handler))
            else:
                self._exact.setdefault(route.template, {})[route.method] = route.handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection scope."""
        if scope["type"] != "http":
            return
        try:
            reply = await self._reply(scope, receive)
        except HoldfastError as error:
            reply = problem_reply(_problem_of(error))
            if isinstance(error, TooMany | Unavailable):
                after = (b"retry-after", str(error.retry_after_s).encode())
                reply = reply._replace(headers=(*reply.headers, after))
        except Exception as error:  # noqa: BLE001  the last wall: no traceback, no message leaves
            log.error("request_failed", error=type(error).__name__, where=place_of(error))  # noqa: TRY400  a traceback may hold a value
            reply = problem_reply(problem(500, "internal", "Nothing was shown."))
        self._metrics.answered(reply.status)
        headers = [
            *_echoed(scope),
            (b"content-type", reply.content_type),
            (b"content-length", str(len(reply.body)).encode()),
            *_FIXED_HEADERS,
            *reply.headers,
        ]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else reply.body
        await send({"type": "http.response.body", "body": body})

    async def _reply(self, scope: Scope, receive: Receive) -> Reply:
        request = Request(scope, receive, self._door)
        host = request.headers.get(b"host", b"").decode("latin-1").lower()
        if host.rsplit(":", 1)[0] not in self._hosts:
            return problem_reply(problem(421, "unknown_host", field="Host"))
        try:
            reply = await self._routed(request)
        except BaseException as error:
            try:
                await self._use_up(request, error)
            finally:
                self._door.leave(request, refused=isinstance(error, NotAuthenticated))
            raise
        self._door.leave(request, status=reply.status)
        return reply

    async def _use_up(self, request: Request, error: BaseException) -> None:
        """Use up what the failed ``request`` proved, unless it was turned away unread (or its caller went away)."""
        proofs = {b"dpop", b"holdfast-on-behalf-of-proof"} & request.headers.keys()
        if not proofs or isinstance(error, TooMany) or not isinstance(error, Exception):
            return
        with suppress(HoldfastError):
            if not request.shown:
                request.caller()
        if any(one.proved.use for one in request.shown):
            with suppress(HoldfastError):
                await self._uses_up(request.shown)

    async def _routed(self, request: Request) -> Reply:
        path = request.path
        if path not in _OPEN:
            self._door.admit(request)
        methods = self._exact.get(path)
        if methods is not None:
            handler = methods.get(request.method)
            return await handler(request, {}) if handler else _not_allowed(methods)
        return await self._by_pattern(request)

    async def _by_pattern(self, request: Request) -> Reply:
        allowed: dict[str, Handler] = {}
        for pattern, method, handler in self._patterns:
            found = pattern.match(request.path)
            if found is None:
                continue
            if method == request.method:
                parts = {name: unquote(part) for name, part in found.groupdict().items()}
                if any("\0" in part for part in parts.values()):
                    break  # nothing here has it in its name, and PostgreSQL does not take it
                return await handler(request, parts)
            allowed[method] = handler
        if allowed:
            return _not_allowed(allowed)
        raise NotFound("there is nothing at this address")


_FIXED_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


def _echoed(scope: Scope) -> list[tuple[bytes, bytes]]:
    """What the asker calls its request, given back (AuthZEN); nothing that is not one short word."""
    if not scope["path"].startswith("/access/"):
        return []
    said = [value for name, value in scope["headers"] if name == b"x-request-id"]
    return [(b"x-request-id", one) for one in said[:1] if _REQUEST_ID.match(one)]


def _not_allowed(methods: dict[str, Handler]) -> Reply:
    reply = problem_reply(problem(405, "method_not_allowed"))
    return reply._replace(headers=((b"allow", ", ".join(sorted(methods)).encode()),))


def _problem_of(error: HoldfastError) -> Problem:
    if error.status >= 500:
        log.error("refused_with_error", code=error.code, where=place_of(error))
    more: dict[str, Any] = {"remedy": error.remedy}
    if isinstance(error, InvalidInput):
        more["field"] = error.field
    if isinstance(error, Unavailable):
        more["remedy"] = error.remedy or f"Try again in {error.retry_after_s} s."
    detail = (
        error.message
        if error.status < 500 or isinstance(error, Unavailable)
        else "Nothing was shown."
    )
    return problem(error.status, error.code, detail, **more)
