"""What each address does: parse, submit to the turn, encode. No rule stands here."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from holdfast.edges.dataplane.app import Reply, Route, decode, json_reply, problem_reply
from holdfast.edges.dataplane.evaluations import Evaluations
from holdfast.edges.dataplane.logs import LogReading
from holdfast.edges.dataplane.openapi import document
from holdfast.edges.dataplane.types import (
    MOST_FEED_BYTES,
    ActRequest,
    ApprovalRequest,
    ExportRequest,
    FreezeRequest,
    FreezeStepRequest,
    GlassRequest,
    NothingRequest,
    OutcomeRequest,
    ProvisionalRequest,
    ReasonRequest,
    RevealRequest,
    SearchRequest,
    UpdateRequest,
    VerifyRequest,
)
from holdfast.edges.feeds.catalogue import ADAPTORS
from holdfast.kit.disk import Room
from holdfast.kit.errors import InvalidInput, Unavailable
from holdfast.kit.http.problem import problem
from holdfast.kit.jobs.queue import backlog
from holdfast.manifests import subscriptions
from holdfast.spine.ledger.files import log_file, stored_file
from holdfast.spine.operations.act import Wanted, act
from holdfast.spine.operations.approve import decide_approval, show_approval
from holdfast.spine.operations.asking import ask_approval
from holdfast.spine.operations.breaking import Emergency, break_glass, end_glass
from holdfast.spine.operations.decisions import may_read_log, read_decision, record_of
from holdfast.spine.operations.export import Wanted as WantedExport
from holdfast.spine.operations.export import request_by
from holdfast.spine.operations.freeze import Step, ask_to_freeze
from holdfast.spine.operations.outcome import Report, report_outcome
from holdfast.spine.operations.provisional import open_contact
from holdfast.spine.operations.reason import change_reason
from holdfast.spine.operations.reveal import reveal
from holdfast.spine.operations.search import search
from holdfast.spine.operations.update import update
from holdfast.spine.operations.verify import verify
from holdfast.spine.operations.waiting import MOST_LISTED, list_approvals
from holdfast.spine.signals import intake
from holdfast.spine.signals.envelope import parse_header
from holdfast.spine.signals.registry import list_paces
from holdfast.spine.stream.follower import follower_of
from holdfast.spine.stream.standing import standings
from holdfast.spine.turn.answers import Ambiguous, Asked, FreezeRefused, OutcomeRefused, Refused
from holdfast.vocabulary.levels import FreezeReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.edges.dataplane.app import Request
    from holdfast.edges.dataplane.evidence import Evidence
    from holdfast.edges.dataplane.metrics import Metrics
    from holdfast.edges.dataplane.runner import Runner
    from holdfast.kit.db import Work
    from holdfast.spine.house import House
    from holdfast.spine.turn.answers import Answer


class Handlers:
    """Bound to one house and its runner."""

    def __init__(self, house: House, runner: Runner, metrics: Metrics, evidence: Evidence) -> None:
        self._house = house
        self._evidence = evidence
        self._runner = runner
        self._metrics = metrics
        self._followers = tuple(map(follower_of, subscriptions()))
        self._openapi: bytes | None = None

    async def search(self, request: Request, _parts: dict[str, str]) -> Reply:
        """POST /v1/search."""
        body = await request.body()
        given = decode(body, SearchRequest)
        ((field, value),) = given.by.items()
        return await self._run(
            partial(search, self._house, _asked(request, body, given), field, value),
            together=True,
        )

    async def reveal(self, request: Request, _parts: dict[str, str]) -> Reply:
        """POST /v1/reveal."""
        body = await request.body()
        given = decode(body, RevealRequest)
        fields = tuple(dict.fromkeys(given.fields))
        asked = _asked(request, body, given)
        return await self._run(
            partial(reveal, self._house, asked, given.customer, fields, record=given.record),
            together=True,
        )

    async def verify(self, request: Request, _parts: dict[str, str]) -> Reply:
        """POST /v1/verify."""
        body = await request.body()
        given = decode(body, VerifyRequest)
        single = given.field is not None or given.answer is not None
        if single == (given.answers is not None):
            raise InvalidInput("give either field and answer, or answers", field="answers")
        if single and (given.field is None or given.answer is None):
            raise InvalidInput("field and answer go together", field="answer")
        answers = given.answers or {str(given.field): str(given.answer)}
        return await self._run(
            partial(
                verify,
                self._house,
                _asked(request, body, given),
                given.customer,
                answers,
                record=given.record,
            ),
            together=True,
        )

    async def update(self, request: Request, _parts: dict[str, str]) -> Reply:
        """POST /v1/update."""
        body = await request.body()
        given = decode(body, UpdateRequest)
        return await self._run(
            partial(
                update,
                self._house,
                _asked(request, body, given),
                given.customer,
                given.values,
                record=given.record,
            )
        )

    async def act(self, request: Request, _parts: dict[str, str]) -> Reply:
        """POST /v1/act."""
        body = await request.body()
        given = decode(body, ActRequest)
        wanted = Wanted(
            action=given.action,
            proof=tuple(given.proof),
            values=given.values or {},
            target=given.target or "",
            record=given.record,
        )
        asked = _asked(request, body, given)
        return await self._run(partial(act, self._house, asked, given.customer, wanted))

    async def outcome(self, request: Request, parts: dict[str, str]) -> Reply:
        """POST /v1/act/{id}/outcome."""
        given = decode(await request.body(), OutcomeRequest)
        report = Report(parts["id"], given.permit, given.outcome)
        return await self._run(partial(report_outcome, self._house, request.caller(), report))

    async def export(self, request: Request, _parts: dict[str, str]) -> Reply:
        """POST /v1/export."""
        given = decode(await request.body(), ExportRequest)
        if given.all is (given.customers is not None):
            raise InvalidInput("give either customers, or all", field="customers")
        wanted = WantedExport(
            client=given.client,
            collection=given.collection,
            fields=tuple(dict.fromkeys(given.fields)),
            customers=None if given.customers is None else tuple(given.customers),
            recipient=given.recipient,
            reason=given.reason,
        )
        return await self._run(partial(request_by, self._house, request.caller(), wanted))

    async def jwks(self, _request: Request, _parts: dict[str, str]) -> Reply:
        """GET /.well-known/jwks.json: the keys by which targets check permits."""
        return json_reply(self._house.permit_keys().jwk_set(self._house.clock.now_us()))

    async def reason(self, request: Request, _parts: dict[str, str]) -> Reply:
        """POST /v1/reason."""
        body = await request.body()
        given = decode(body, ReasonRequest)
        asked = asked_of(request, body, client=given.client or "", contact=given.contact)
        return await self._run(partial(change_reason, self._house, asked, given.reason))

    async def freeze(self, request: Request, _parts: dict[str, str]) -> Reply:
        """POST /v1/freeze."""
        given = decode(await request.body(), FreezeRequest)
        return await self._freeze(request, given.client, Step.FREEZE, given.reason)

    async def confirm_freeze(self, request: Request, _parts: dict[str, str]) -> Reply:
        """POST /v1/freeze/confirm."""
        given = decode(await request.body(), FreezeStepRequest)
        return await self._freeze(request, given.client, Step.CONFIRM)

    async def unfreeze(self, request: Request, _parts: dict[str, str]) -> Reply:
        """POST /v1/unfreeze."""
        given = decode(await request.body(), FreezeStepRequest)
        return await self._freeze(request, given.client, Step.UNFREEZE)

    async def _freeze(
        self,
        request: Request,
        client: str,
        step: Step,
        reason: FreezeReason = FreezeReason.UNSPECIFIED,
    ) -> Reply:
        asked = asked_of(request, b"", client=client, contact="")
        answer = await self._runner.submit(partial(ask_to_freeze, self._house, asked, step, reason))
        if isinstance(answer, FreezeRefused):
            said = answer.challenge or ""
            more = {"remedy": answer.remedy, "challenge": said}
            return problem_reply(problem(403, answer.code, answer.message, **more))
        return json_reply(answer)

    async def provisional(self, request: Request, _parts: dict[str, str]) -> Reply:
        """POST /v1/provisional."""
        body = await request.body()
        given = decode(body, ProvisionalRequest)
        asked = asked_of(request, body, client=given.client, contact=given.contact)
        reason = given.reason or ""
        return await self._run(
            partial(open_contact, self._house, asked, given.queue, reason, outage=given.outage)
        )

    async def decision(self, request: Request, parts: dict[str, str]) -> Reply:
        """GET /v1/decisions/{id}."""
        caller, ident = request.caller(), parts["id"]
        record = await self._evidence.glance(partial(record_of, ident))
        return await self._run(partial(read_decision, self._house, caller, ident, record=record))

    async def break_glass(self, request: Request, _parts: dict[str, str]) -> Reply:
        """POST /v1/break-glass."""
        given = decode(await request.body(), GlassRequest)
        wanted = Emergency(
            client=given.client,
            reason=given.reason,
            call=given.call,
            customers=given.customers_at_most,
            minutes=given.minutes,
        )
        asked = asked_of(request, b"", client="", contact="")
        return await self._run(partial(break_glass, self._house, asked, wanted))

    async def end_glass(self, request: Request, parts: dict[str, str]) -> Reply:
        """POST /v1/break-glass/{id}/end."""
        await _nothing(request)
        asked = asked_of(request, b"", client="", contact="")
        return await self._run(partial(end_glass, self._house, asked, parts["id"]))

    async def ask_approval(self, request: Request, _parts: dict[str, str]) -> Reply:
        """POST /v1/approvals."""
        given = decode(await request.body(), ApprovalRequest)
        return await self._run(
            partial(
                ask_approval,
                self._house,
                asked_of(request, b"", client="", contact=""),
                given.decision,
            )
        )

    async def approvals(self, request: Request, _parts: dict[str, str]) -> Reply:
        """GET /v1/approvals."""
        asked = asked_of(request, b"", client="", contact="")
        given = request.query("after", "limit")
        limit = given.get("limit", str(MOST_LISTED))
        if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit[:9]) <= MOST_LISTED:
            raise InvalidInput(f"from 1 to {MOST_LISTED}", field="limit")
        work = partial(list_approvals, after=given.get("after", "")[:64], limit=int(limit))
        return await self._run(partial(work, self._house, asked))

    async def approval(self, request: Request, parts: dict[str, str]) -> Reply:
        """GET /v1/approvals/{id}."""
        return await self._run(
            partial(
                show_approval,
                self._house,
                asked_of(request, b"", client="", contact=""),
                parts["id"],
            )
        )

    async def approve(self, request: Request, parts: dict[str, str]) -> Reply:
        """POST /v1/approvals/{id}/approve."""
        return await self._decide(request, parts["id"], grant=True)

    async def refuse(self, request: Request, parts: dict[str, str]) -> Reply:
        """POST /v1/approvals/{id}/refuse."""
        return await self._decide(request, parts["id"], grant=False)

    async def _decide(self, request: Request, ident: str, *, grant: bool) -> Reply:
        await _nothing(request)
        work = partial(
            decide_approval,
            self._house,
            asked_of(request, b"", client="", contact=""),
            ident,
            grant=grant,
        )
        return await self._run(work)

    async def feed(self, request: Request, parts: dict[str, str]) -> Reply:
        """POST /v1/feeds/{name}."""
        signature = request.headers.get(b"holdfast-signature", b"").decode("latin-1")
        parse_header(signature)  # before anything is told of the house or the body
        self._house.require_room()
        body = await request.body(MOST_FEED_BYTES, signed=True)
        report = await intake.receive_async(
            self._house, self._runner.submit, parts["name"], signature, body, adaptors=ADAPTORS
        )
        return json_reply(report, 200 if report.accepted or not report.rejected else 422)

    async def log(self, request: Request, parts: dict[str, str]) -> Reply:
        """GET /logs/{log}/checkpoint and its tiles."""
        await self._runner.submit(
            partial(may_read_log, self._house, request.caller(), parts["log"])
        )
        if self._house.embedded:
            content, kind = log_file(self._house.home, parts["log"], parts["path"])
        else:
            stored = partial(stored_file, parts["log"], parts["path"])
            content, kind = await self._evidence.read(stored)
        return Reply(200, content, kind)

    async def health(self, _request: Request, _parts: dict[str, str]) -> Reply:
        """GET /healthz: the process answers."""
        return json_reply({"status": "ok"})

    async def ready(self, _request: Request, _parts: dict[str, str]) -> Reply:
        """GET /readyz: the stores can be written, and there is room for values to be shown."""
        self._house.require_room()
        await self._runner.submit(_ready)
        low = self._house.disk.free().room is not Room.PLENTY
        return json_reply({"status": "ready", "disk": "low"} if low else {"status": "ready"})

    async def metrics(self, _request: Request, _parts: dict[str, str]) -> Reply:
        """GET /metrics."""
        now_us = self._house.clock.now_us()
        with suppress(
            Unavailable
        ):  # what the process counts itself is told while its store is away
            ask = (
                self._runner.submit
            )  # which waits for a store that does not answer beside all others
            self._metrics.feeds(await ask(partial(list_paces, now_us)))
            self._metrics.stream(await ask(partial(standings, self._followers)), now_us)
            self._metrics.jobs(await ask(partial(backlog, now_us)), now_us)
            self._metrics.replica(await self._evidence.following())
        return Reply(200, self._metrics.text(), b"text/plain; version=0.0.4; charset=utf-8")

    async def openapi(self, _request: Request, _parts: dict[str, str]) -> Reply:
        """GET /openapi.json."""
        if self._openapi is None:
            self._openapi = document()
        return Reply(200, self._openapi)

    async def _run(self, work: Callable[[], Work[Any]], *, together: bool = False) -> Reply:
        answer = await self._runner.submit(work, together=together)
        return _reply(answer)


async def _nothing(request: Request) -> None:
    """Let pass a request that says all by its address: without a body, or with an empty object in its place."""
    body = await request.body()
    if body:
        decode(body, NothingRequest)


def _ready() -> Work[None]:
    return
    yield  # an empty operation: its turn's BEGIN and COMMIT are the proof


def _asked(request: Request, body: bytes, given: Any) -> Asked:
    purpose = given.purpose
    if (purpose.contact is None) is (purpose.break_glass is None):
        raise InvalidInput("give either contact or break_glass", field="purpose")
    asked = asked_of(
        request,
        body,
        client=given.client,
        contact=purpose.contact or "",
        collection=given.collection or "",
    )
    glass = purpose.break_glass or ""
    return msgspec.structs.replace(asked, glass=glass, contact_ref=glass) if glass else asked


def asked_of(
    request: Request, body: bytes, *, client: str, contact: str, collection: str = ""
) -> Asked:
    """Return who asks what of which client, from the request's headers and what its body named."""
    caller = request.caller()
    request.name_client(client)
    return Asked(
        client=client,
        collection=collection,
        contact=contact,
        secret_hash=caller.secret_hash,
        proved=caller.proved,
        service=caller.service,
        peer=caller.peer,
        device=caller.device,
        step_up_hash=request.step_up_hash(),
        approval=request.approval(),
        idempotency=request.idempotency(body),
    )


def _reply(answer: Answer) -> Reply:
    match answer:
        case Refused():
            return problem_reply(
                problem(
                    403,
                    answer.code,
                    _DETAILS.get(answer.code, ""),
                    decision=answer.decision,
                    leaf=answer.leaf,
                    reasons=answer.reasons,
                    challenge=answer.challenge or "",
                )
            )
        case OutcomeRefused():
            return problem_reply(problem(409, answer.code, answer.detail, remedy=answer.remedy))
        case Ambiguous():
            return problem_reply(
                problem(
                    409,
                    "several_records",
                    "The customer has several records here; name one.",
                    field="record",
                    decision=answer.decision,
                    leaf=answer.leaf,
                    choices=answer.choices,
                )
            )
        case _:
            return json_reply(answer)


_DETAILS = {
    "denied": "A rule refuses this look; each reason says what to do.",
    "step_up_required": "Prove again that it is you, then repeat the request.",
    "approval_required": "Another person has to approve this: ask at /v1/approvals by the id of this decision.",
}


def routes(house: House, runner: Runner, metrics: Metrics, evidence: Evidence) -> tuple[Route, ...]:
    """The table of addresses."""
    do = Handlers(house, runner, metrics, evidence)
    return (
        Route("POST", "/v1/search", do.search, "Find customers by one exact identifier"),
        Route("POST", "/v1/reveal", do.reveal, "Show fields of a customer's record"),
        Route("POST", "/v1/verify", do.verify, "Compare the caller's answers; show nothing"),
        Route("POST", "/v1/update", do.update, "Change fields of a customer's record"),
        Route("POST", "/v1/act", do.act, "Permit an action on a customer's account, once"),
        Route("POST", "/v1/act/{id}/outcome", do.outcome, "Say what became of a permit"),
        Route("POST", "/v1/export", do.export, "Let records leave in a sealed file"),
        Route("POST", "/v1/reason", do.reason, "Change a contact's reason"),
        Route("POST", "/v1/freeze", do.freeze, "Stop every look at a client's customers"),
        Route("POST", "/v1/freeze/confirm", do.confirm_freeze, "Confirm a client's freeze"),
        Route("POST", "/v1/unfreeze", do.unfreeze, "Lift a client's freeze"),
        Route("POST", "/v1/provisional", do.provisional, "Open a contact that no feed has told"),
        Route("GET", "/v1/decisions/{id}", do.decision, "Read one decision"),
        Route("POST", "/v1/break-glass", do.break_glass, "Ask to look without a contact"),
        Route("POST", "/v1/break-glass/{id}/end", do.end_glass, "End a break-glass"),
        Route("POST", "/v1/approvals", do.ask_approval, "Ask for a second person's approval"),
        Route("GET", "/v1/approvals", do.approvals, "What waits for you, and what you asked for"),
        Route("GET", "/v1/approvals/{id}", do.approval, "Look at a request, masked"),
        Route("POST", "/v1/approvals/{id}/approve", do.approve, "Approve it"),
        Route("POST", "/v1/approvals/{id}/refuse", do.refuse, "Refuse it"),
        *Evaluations(house, runner).routes(),
        Route("POST", "/v1/feeds/{name}", do.feed, "Take in signed events"),
        *LogReading(house, runner).routes(),
        Route("GET", "/logs/{log}/{path*}", do.log, "Read a log's static files"),
        Route("GET", "/.well-known/jwks.json", do.jwks, "The key that signs permits"),
        Route("GET", "/healthz", do.health, "Whether the process answers"),
        Route("GET", "/readyz", do.ready, "Whether the stores can be written"),
        Route("GET", "/metrics", do.metrics, "Figures for Prometheus"),
        Route("GET", "/openapi.json", do.openapi, "This interface as OpenAPI 3.1"),
    )
