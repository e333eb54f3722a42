"""The data plane's OpenAPI 3.1 document, generated from its types."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec

from holdfast import __version__
from holdfast.edges.dataplane import authzen
from holdfast.edges.dataplane.types import (
    ActRequest,
    ApprovalRequest,
    EvaluationRequest,
    EvaluationsRequest,
    ExportRequest,
    FreezeRequest,
    FreezeStepRequest,
    GlassRequest,
    OutcomeRequest,
    ProvisionalRequest,
    ReasonRequest,
    RevealRequest,
    SearchRequest,
    UpdateRequest,
    VerifyRequest,
)
from holdfast.kit.http.problem import CONTENT_TYPE, Problem
from holdfast.spine.operations.export import ExportShown
from holdfast.spine.operations.log_reading import Tally, Timeline
from holdfast.spine.signals.events import Event
from holdfast.spine.signals.intake import Report
from holdfast.spine.turn.answers import (
    Acted,
    Approvals,
    ApprovalShown,
    DecisionShown,
    Found,
    FreezeStands,
    GlassEnded,
    OutcomeTaken,
    ProvisionalOpened,
    ReasonChanged,
    Revealed,
    Updated,
    Verified,
)

REF: Final = "#/components/schemas/{name}"


class Documented(NamedTuple):
    """One operation as the document shows it."""

    path: str
    method: str
    summary: str
    request: type | None
    response: type | None
    refusals: tuple[int, ...]
    parameters: tuple[str, ...] = ()
    secured: bool = True
    media: str = "application/json"
    look: bool = True  # a request of a person, with the headers of one
    queries: tuple[str, ...] = ()


_LOOK = (400, 401, 403, 408, 413, 421, 429, 503)
_FREEZE = (*_LOOK, 404, 409)
_ONE_APPROVAL = (400, 401, 403, 404, 421, 429, 503)
OPERATIONS: Final = (
    Documented(
        "/v1/search", "post", "Find customers by one exact identifier", SearchRequest, Found, _LOOK
    ),
    Documented(
        "/v1/reveal",
        "post",
        "Show fields of a customer's record",
        RevealRequest,
        Revealed,
        (*_LOOK, 409),
    ),
    Documented(
        "/v1/verify",
        "post",
        "Compare the caller's answers; show nothing",
        VerifyRequest,
        Verified,
        (*_LOOK, 409),
    ),
    Documented(
        "/v1/update",
        "post",
        "Change fields of a customer's record",
        UpdateRequest,
        Updated,
        (*_LOOK, 409),
    ),
    Documented(
        "/v1/act",
        "post",
        "Permit an action on a customer's account, once",
        ActRequest,
        Acted,
        (*_LOOK, 409),
    ),
    Documented(
        "/v1/act/{id}/outcome",
        "post",
        "Say what became of a permit",
        OutcomeRequest,
        OutcomeTaken,
        (400, 401, 403, 404, 408, 409, 413, 421, 429, 503),
        ("id",),
        look=False,
    ),
    Documented(
        "/v1/export",
        "post",
        "Let records leave the house in a sealed file, once a second person has approved it",
        ExportRequest,
        ExportShown,
        (400, 401, 403, 404, 408, 413, 421, 429, 503),
        look=False,
    ),
    Documented(
        "/v1/reason",
        "post",
        "Change a contact's reason",
        ReasonRequest,
        ReasonChanged,
        (*_LOOK, 409),
    ),
    Documented(
        "/v1/provisional",
        "post",
        "Open a contact that no feed has told",
        ProvisionalRequest,
        ProvisionalOpened,
        (*_LOOK, 409),
    ),
    Documented(
        "/v1/freeze",
        "post",
        "Stop every look at a client's customers: by a user of the client, or the house's security",
        FreezeRequest,
        FreezeStands,
        _FREEZE,
    ),
    Documented(
        "/v1/freeze/confirm",
        "post",
        "Confirm a client's freeze, as a second user of the client; else it ends after four hours",
        FreezeStepRequest,
        FreezeStands,
        _FREEZE,
    ),
    Documented(
        "/v1/unfreeze",
        "post",
        "Lift a client's freeze, as a user of the client",
        FreezeStepRequest,
        FreezeStands,
        _FREEZE,
    ),
    Documented(
        "/v1/decisions/{id}",
        "get",
        "Read one decision",
        None,
        DecisionShown,
        (400, 401, 403, 404, 421, 429, 503),
        ("id",),
    ),
    Documented(
        "/v1/break-glass",
        "post",
        "Ask to look without a contact, in an emergency",
        GlassRequest,
        ApprovalShown,
        (400, 401, 403, 404, 408, 413, 421, 429, 503),
    ),
    Documented(
        "/v1/break-glass/{id}/end",
        "post",
        "End your break-glass before its time",
        None,
        GlassEnded,
        (400, 401, 403, 404, 408, 413, 421, 429, 503),
        ("id",),
    ),
    Documented(
        "/v1/approvals",
        "post",
        "Ask for the approval that a decision said is needed",
        ApprovalRequest,
        ApprovalShown,
        (400, 401, 403, 404, 408, 409, 413, 421, 429, 503),
    ),
    Documented(
        "/v1/approvals",
        "get",
        "What waits for you as an approver, and what you asked for in the last day",
        None,
        Approvals,
        (400, 401, 403, 404, 421, 429, 503),
        queries=("after", "limit"),
    ),
    Documented(
        "/v1/approvals/{id}",
        "get",
        "Look at a request; an approver sees the fields asked for, masked",
        None,
        ApprovalShown,
        _ONE_APPROVAL,
        ("id",),
    ),
    Documented(
        "/v1/approvals/{id}/approve",
        "post",
        "Approve what somebody else asks for",
        None,
        ApprovalShown,
        (*_ONE_APPROVAL, 409),
        ("id",),
    ),
    Documented(
        "/v1/approvals/{id}/refuse",
        "post",
        "Refuse what somebody else asks for",
        None,
        ApprovalShown,
        (*_ONE_APPROVAL, 409),
        ("id",),
    ),
    Documented(
        "/v1/logs/{log}/timeline",
        "get",
        "The lines of a log that name a person, customer, contact, credential, decision or approval, newest first",
        None,
        Timeline,
        (400, 401, 403, 404, 421, 429, 503),
        ("log",),
        queries=("reference", "before", "limit"),
    ),
    Documented(
        "/v1/logs/{log}/tally",
        "get",
        "How many looks, refusals by rule, signals and so on a log has of each day",
        None,
        Tally,
        (400, 401, 403, 404, 421, 429, 503),
        ("log",),
        queries=("days",),
    ),
    Documented(
        "/logs/{log}/checkpoint",
        "get",
        "The log's signed checkpoint",
        None,
        None,
        (400, 401, 403, 404, 421, 429, 503),
        ("log",),
        media="text/plain",
    ),
    Documented(
        "/logs/{log}/tile/{level}/{index}",
        "get",
        "A tile of hashes, or of entries at level `entries`; `index` may have several parts (C2SP tlog-tiles)",
        None,
        None,
        (400, 401, 403, 404, 421, 429, 503),
        ("log", "level", "index"),
        media="application/octet-stream",
    ),
    Documented(
        "/.well-known/jwks.json",
        "get",
        "The keys by which targets check permits, as a JWK Set (RFC 7517)",
        None,
        None,
        (421, 503),
        secured=False,
    ),
    Documented(
        authzen.EVALUATION,
        "post",
        "AuthZEN: may this subject do this to that resource, by the contract's [[pdp]] rules",
        EvaluationRequest,
        authzen.Decision,
        _LOOK,
        look=False,
    ),
    Documented(
        authzen.EVALUATIONS,
        "post",
        "AuthZEN: several such questions; without `evaluations`, one",
        EvaluationsRequest,
        authzen.Decisions,
        _LOOK,
        look=False,
    ),
    Documented(
        authzen.METADATA,
        "get",
        "AuthZEN: where this decision point answers",
        None,
        None,
        (421,),
        secured=False,
    ),
    Documented("/healthz", "get", "Whether the process answers", None, None, (421,), secured=False),
    Documented(
        "/readyz", "get", "Whether the stores can be written", None, None, (421, 503), secured=False
    ),
    Documented(
        "/metrics",
        "get",
        "Figures for Prometheus",
        None,
        None,
        (421,),
        secured=False,
        media="text/plain",
    ),
    Documented("/openapi.json", "get", "This document", None, None, (421,), secured=False),
)
_FEED: Final = {
    "post": {
        "operationId": "feeds",
        "summary": "Take in signed events: one JSON object, or one a line (NDJSON)",
        "parameters": [
            {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}},
            {
                "name": "Holdfast-Signature",
                "in": "header",
                "required": True,
                "description": "t=<unix>,kid=<id>,v1=<hex hmac-sha256 of 'kid.name.t.body'>",
                "schema": {"type": "string"},
            },
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": REF.format(name="Event")}},
                "application/x-ndjson": {"schema": {"type": "string"}},
            },
        },
    }
}


def document() -> bytes:
    """Return the document as JSON."""
    kinds = [
        kind
        for operation in OPERATIONS
        for kind in (operation.request, operation.response)
        if kind is not None
    ]
    _, components = msgspec.json.schema_components(
        [*kinds, Problem, Report, Event], ref_template=REF
    )
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    feed: dict[str, Any] = {
        **_FEED["post"],
        "responses": {
            **_responses(Report, (400, 401, 408, 413, 421, 503)),
            "422": {
                "description": "The signature is good, but every line was refused",
                "content": {"application/json": {"schema": _ref(Report)}},
            },
        },
    }
    paths["/v1/feeds/{name}"] = {"post": {**feed, "security": []}}
    body = {
        "openapi": "3.1.0",
        "info": {
            "title": "Holdfast data plane",
            "version": __version__,
            "description": "Every look at a customer has a reason, and the client can check it.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "dpop": {
                    "type": "http",
                    "scheme": "DPoP",
                    "description": "a token bound to a key, with one proof in the header DPoP (RFC 9449)",
                },
            },
        },
        "security": [{"bearer": []}, {"dpop": []}],
    }
    # Python's end of text is \Z; in JSON Schema's dialect of regular expressions it is $.
    return msgspec.json.format(msgspec.json.encode(body).replace(rb"\\Z", b"$"), indent=1)


def _name(given: Documented) -> str:
    name = given.path.strip("/").replace("/", "_").replace("{", "").replace("}", "")
    same = [other for other in OPERATIONS if other.path == given.path]
    return name if same[0] is given else f"{name}_{given.method}"


def _operation(given: Documented) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "operationId": _name(given),
        "summary": given.summary,
        "responses": _responses(given.response, given.refusals, given.media),
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in given.parameters
    ]
    parameters += [
        {"name": name, "in": "query", "required": False, "schema": {"type": "string"}}
        for name in given.queries
    ]
    if given.request is not None:
        shown["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _ref(given.request)}},
        }
        parameters += _LOOK_HEADERS if given.look else []
    if parameters:
        shown["parameters"] = parameters
    if not given.secured:
        shown["security"] = []
    return shown


_LOOK_HEADERS: Final[list[dict[str, Any]]] = [
    {
        "name": "Holdfast-Step-Up",
        "in": "header",
        "required": False,
        "description": "`Bearer <token>` of a fresh second token, after step_up_required",
        "schema": {"type": "string"},
    },
    {
        "name": "Holdfast-Approval",
        "in": "header",
        "required": False,
        "description": "id of an approval that was granted for exactly this",
        "schema": {"type": "string", "pattern": "^apr_[0-9a-hjkmnp-tv-z]{26}$"},
    },
    {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "repeats answer with the same decision and cost no second budget",
        "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
    },
    {
        "name": "Holdfast-Device",
        "in": "header",
        "required": False,
        "description": "the device's name, where the token is bound to one",
        "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
    },
]


def _ref(kind: type) -> dict[str, str]:
    return {"$ref": REF.format(name=kind.__name__)}


def _responses(
    kind: type | None, refusals: tuple[int, ...], media: str = "application/json"
) -> dict[str, Any]:
    schema: dict[str, Any] = (
        _ref(kind)
        if kind
        else ({"type": "string"} if media.startswith("text") else {"type": "object"})
    )
    responses: dict[str, Any] = {
        "200": {"description": "Done", "content": {media: {"schema": schema}}}
    }
    for status in refusals:
        responses[str(status)] = {
            "description": "A problem (RFC 9457)",
            "content": {CONTENT_TYPE: {"schema": _ref(Problem)}},
        }
    return responses
