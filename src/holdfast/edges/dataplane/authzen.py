"""AuthZEN Authorization API 1.0 as this house speaks it: bodies in, decisions out, and the metadata.

What the specification calls optional is ignored when it is not known, and what it wants is wanted by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from holdfast.edges.dataplane.types import EvaluationRequest, EvaluationsRequest
from holdfast.kit.errors import InvalidInput, TooLarge
from holdfast.spine.decision.pdp import Asking, Decided, Entity
from holdfast.vocabulary.levels import PdpSemantic

if TYPE_CHECKING:
    from holdfast.kit.config import Settings

MOST_EVALUATIONS: Final = 100
MOST_BODY: Final = 256 * 1024
EVALUATION: Final = "/access/v1/evaluation"
EVALUATIONS: Final = "/access/v1/evaluations"
METADATA: Final = "/.well-known/authzen-configuration"
_PARTS: Final = ("subject", "action", "resource", "context")
_REQUIRED: Final = {"subject": ("type", "id"), "action": ("name",), "resource": ("type", "id")}


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """One decision; ``context`` of a refusal holds a reason's code and nothing of the object."""

    decision: bool
    context: dict[str, str] = {}


class Decisions(msgspec.Struct, frozen=True):
    """Decisions of a batch, in its order."""

    evaluations: list[Decision]


def check_media(content_type: bytes | None) -> None:
    """Raise :class:`InvalidInput` unless the body says that it is JSON."""
    media = (content_type or b"").partition(b";")[0].strip().lower()
    if media != b"application/json":
        raise InvalidInput("the body must be application/json", field="Content-Type")


def asking(request: EvaluationRequest) -> Asking:
    """Return the question that a request puts."""
    subject, action, resource = request.subject, request.action, request.resource
    return Asking(
        subject=Entity(subject.type, subject.id, subject.properties),
        action=Entity("", action.name, action.properties),
        resource=Entity(resource.type, resource.id, resource.properties),
    )


def batch(request: EvaluationsRequest) -> tuple[list[Asking | None], PdpSemantic]:
    """Return the questions of a batch and how to go through them; None stands for a malformed one.

    An evaluation's own member replaces the top-level one as a whole; only ``type``, ``id`` or ``name`` that it lacks
    are taken from there.
    """
    if len(request.evaluations) > MOST_EVALUATIONS:
        raise TooLarge(f"a batch holds at most {MOST_EVALUATIONS} evaluations", field="evaluations")
    chosen = request.options.get("evaluations_semantic", PdpSemantic.EXECUTE_ALL.value)
    if chosen not in [semantic.value for semantic in PdpSemantic]:
        raise InvalidInput("no such semantic", field="options.evaluations_semantic")
    defaults = {part: getattr(request, part) for part in _PARTS}
    return [_one(defaults, own) for own in request.evaluations], PdpSemantic(chosen)


def single(request: EvaluationsRequest) -> EvaluationRequest:
    """Read a batch without evaluations as one request; :class:`InvalidInput` names what is missing or wrong."""
    given = {part: getattr(request, part) for part in _PARTS}
    try:
        return _converted(given)
    except msgspec.ValidationError as error:
        text = str(error)
        part = next((part for part in _PARTS if f"`{part}`" in text or f"$.{part}" in text), "body")
        raise InvalidInput(text[:200], field=part) from None


def _one(defaults: dict[str, Any], own: dict[str, Any]) -> Asking | None:
    given = {part: _merged(part, defaults[part], own.get(part)) for part in _PARTS}
    try:
        return asking(_converted(given))
    except msgspec.ValidationError:
        return None


def _converted(given: dict[str, Any]) -> EvaluationRequest:
    return msgspec.convert({k: v for k, v in given.items() if v is not None}, EvaluationRequest)


def _merged(part: str, default: Any, own: Any) -> Any:
    if own is None:
        return default
    if not isinstance(own, dict) or not isinstance(default, dict):
        return own
    lacking = {k: default[k] for k in _REQUIRED.get(part, ()) if k in default and k not in own}
    return {**lacking, **own}


def shown(decided: Decided) -> Decision:
    """Lay a decision out for the answer."""
    return Decision(decided.permitted, {"reason": decided.reason} if decided.reason else {})


def metadata(settings: Settings) -> dict[str, str]:
    """Say where this decision point answers."""
    scheme = "https" if settings.encrypted else "http"
    base = settings.public_origin or f"{scheme}://localhost:{settings.data_plane_port}"
    return {
        "policy_decision_point": base,
        "access_evaluation_endpoint": base + EVALUATION,
        "access_evaluations_endpoint": base + EVALUATIONS,
    }
