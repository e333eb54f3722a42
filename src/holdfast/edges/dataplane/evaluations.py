"""The addresses of AuthZEN: parse, submit to the turn, encode."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from holdfast.edges.dataplane import authzen
from holdfast.edges.dataplane.app import Reply, Route, decode, json_reply
from holdfast.edges.dataplane.types import EvaluationRequest, EvaluationsRequest
from holdfast.spine.operations.evaluate import evaluate

if TYPE_CHECKING:
    from holdfast.edges.dataplane.app import Request
    from holdfast.edges.dataplane.runner import Runner
    from holdfast.spine.house import House


class Evaluations:
    """Bound to one house and its runner."""

    def __init__(self, house: House, runner: Runner) -> None:
        self._house = house
        self._runner = runner

    def routes(self) -> tuple[Route, ...]:
        """The table of addresses."""
        return (
            Route("POST", authzen.EVALUATION, self.one, "Answer one AuthZEN evaluation"),
            Route("POST", authzen.EVALUATIONS, self.several, "Answer several AuthZEN evaluations"),
            Route("GET", authzen.METADATA, self.metadata, "Say where decisions are answered"),
        )

    async def one(self, request: Request, _parts: dict[str, str]) -> Reply:
        """POST /access/v1/evaluation."""
        return await self._decide(request, decode(await _body(request), EvaluationRequest))

    async def several(self, request: Request, _parts: dict[str, str]) -> Reply:
        """POST /access/v1/evaluations."""
        given = decode(await _body(request), EvaluationsRequest)
        if not given.evaluations:
            return await self._decide(request, authzen.single(given))
        asked, semantic = authzen.batch(given)
        work = partial(evaluate, self._house, request.caller(), asked, semantic)
        decided = await self._runner.submit(work)
        return json_reply(authzen.Decisions([authzen.shown(one) for one in decided]))

    async def _decide(self, request: Request, given: EvaluationRequest) -> Reply:
        asked = (authzen.asking(given),)
        work = partial(evaluate, self._house, request.caller(), asked)
        (decided,) = await self._runner.submit(work)
        return json_reply(authzen.shown(decided))

    async def metadata(self, _request: Request, _parts: dict[str, str]) -> Reply:
        """GET /.well-known/authzen-configuration."""
        return json_reply(authzen.metadata(self._house.settings))


async def _body(request: Request) -> bytes:
    body = await request.body(authzen.MOST_BODY)
    authzen.check_media(request.headers.get(b"content-type"))
    return body
