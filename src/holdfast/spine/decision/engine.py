"""The port to Cedar. It fails closed: *allowed* means decision Allow, no errors, schema used; all else does not.

Cedar skips a policy that raises an error, so a ``forbid`` could fail open; and a request that does not fit the schema
has no decision at all. Both come back as ``Answer(allowed=False, errors=…)``, which the path also makes a signal.
This is the only module that imports ``cedarpy`` (pinned exactly; docs/decisions/0004).

An engine is a pure function of the bytes that it is asked, so answers are remembered by exactly these bytes. A
question names no person, customer or contact: agents at the same work ask the same bytes (docs/decisions/0013).
"""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol, TypeVar

import cedarpy
import msgspec

from holdfast.kit.errors import InvalidInput

MOST_REMEMBERED: Final = 4096
Json = dict[str, Any]
K = TypeVar("K")
V = TypeVar("V")
_encode = msgspec.json.Encoder(order="deterministic").encode
PRINCIPAL: Final = {"type": "Person", "id": "requester"}


class Answer(NamedTuple):
    """What the engine says. ``fired`` are positions of the policies that determined it, in the order of the text."""

    allowed: bool
    fired: tuple[int, ...]
    errors: tuple[str, ...]


class Held(Protocol):
    """What stands behind one request. Equal ones are asked about the same thing, so it can be remembered by."""

    def entities(self) -> list[Json]:
        """Write the entities as Cedar's JSON."""
        ...

    def resource(self) -> dict[str, str]:
        """Name what the request is about, as Cedar's JSON does."""
        ...

    def __hash__(self) -> int: ...


class Slice(NamedTuple):
    """The entities of one request: what the person is, and the programme that the contact is in."""

    client: str
    programme: str  # empty: no contact of theirs, so no grant can match
    roles: tuple[str, ...]
    programmes: tuple[str, ...]

    def resource(self) -> dict[str, str]:
        """Name the programme."""
        return _programme(self.client, self.programme)

    def entities(self) -> list[Json]:
        """Write the slice as Cedar's JSON."""
        client = {"type": "Client", "id": self.client}
        held = sorted({*self.programmes, self.programme} - {""})
        parents = [{"type": "Role", "id": role} for role in self.roles]
        parents += [_programme(self.client, name) for name in self.programmes if name]
        made: list[Json] = [{"uid": PRINCIPAL, "attrs": {}, "parents": parents}]
        made += [{"uid": {"type": "Role", "id": r}, "attrs": {}, "parents": []} for r in self.roles]
        made += [
            {"uid": _programme(self.client, name), "attrs": {}, "parents": [client]}
            for name in held
        ]
        made.append({"uid": client, "attrs": {}, "parents": []})
        return made


def _programme(client: str, name: str) -> dict[str, str]:
    return {"type": "Programme", "id": f"{client}/{name}"}


class Engine:
    """One parsed policy set with its schema. Thread-safe: handles are immutable, the memory only drops entries.

    ``policies`` is Cedar's text, or its JSON as :func:`parsed` gives it. :class:`InvalidInput` when it does not parse.
    """

    def __init__(self, policies: str | Json, schema: str) -> None:
        try:
            self._schema = _schema(schema)
            if isinstance(policies, str):
                self._policies = cedarpy.PolicySet.from_str(policies)
            else:
                self._policies = cedarpy.PolicySet.from_json_str(_encode(policies).decode())
        except ValueError as error:
            raise InvalidInput(f"the policies do not parse: {error}") from error
        self._slices: OrderedDict[Held, cedarpy.Entities] = OrderedDict()
        self._answers: OrderedDict[tuple[str, Held, bytes], Answer] = OrderedDict()

    def __len__(self) -> int:
        return len(self._policies)

    def forget(self) -> None:
        """Drop what is remembered of answers."""
        self._answers.clear()

    def ask(self, action: str, held: Held, context: object) -> Answer:
        """Answer one request. Never raises: what can not be evaluated is not allowed."""
        try:
            asked = _encode(context)
        except (TypeError, msgspec.MsgspecError) as error:
            return _broken(f"context: {type(error).__name__}")
        key = (action, held, asked)
        found = self._answers.get(key)
        if found is None:
            found = self._evaluate(action, held, asked)
            _remember(self._answers, key, found)
        return found

    def _evaluate(self, action: str, held: Held, context: bytes) -> Answer:
        try:
            entities = self._slices.get(held)
            if entities is None:
                text = _encode(held.entities()).decode()
                entities = cedarpy.Entities.from_json_str(text, self._schema)
                _remember(self._slices, held, entities)
            result = cedarpy.is_authorized(
                {
                    "principal": PRINCIPAL,
                    "action": {"type": "Action", "id": action},
                    "resource": held.resource(),
                    "context": context.decode(),
                },
                self._policies,
                entities,
                self._schema,
            )
        except Exception as error:  # noqa: BLE001  whatever goes wrong in there, nobody is let through
            return _broken(f"engine: {type(error).__name__}: {error}")
        return _read(result)


def _read(result: cedarpy.AuthzResult) -> Answer:
    errors = tuple(result.diagnostics.errors)
    if result.decision is cedarpy.Decision.NoDecision:
        errors = (*errors, "no decision")
    if result.metrics.get("schema_pre_parsed") != 1:
        errors = (*errors, "schema not used")
    fired = tuple(int(name.removeprefix("policy")) for name in result.diagnostics.reasons)
    return Answer(result.allowed and not errors, tuple(sorted(fired)), errors)


def _broken(error: str) -> Answer:
    return Answer(allowed=False, fired=(), errors=(error,))


def _remember(memory: OrderedDict[K, V], key: K, value: V) -> None:
    memory[key] = value
    while len(memory) > MOST_REMEMBERED:
        try:
            memory.popitem(last=False)
        except KeyError:  # another thread emptied it
            return


def validate(policies: str, schema: str) -> tuple[str, ...]:
    """Return what Cedar's strict validator objects to; empty when nothing."""
    try:
        result = cedarpy.validate_policies(policies, schema)
    except ValueError as error:
        return (str(error),)
    return tuple(str(error) for error in result.errors) if not result.validation_passed else ()


def quoted(text: str) -> str:
    """Write a Cedar string literal; the contract's compiler has refused control characters."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parsed(policies: str) -> Json:
    """Return policies as Cedar's JSON; the policy at position 3 of the text is called ``policy3``.

    :class:`InvalidInput` when they do not parse.
    """
    try:
        found: Json = msgspec.json.decode(cedarpy.policies_to_json_str(policies))
    except ValueError as error:
        raise InvalidInput(f"the policies do not parse: {error}") from error
    return found


def annotated(policies: Json) -> tuple[tuple[str, dict[str, str]], ...]:
    """Return effect (``permit`` or ``forbid``) and annotations of each policy, in the order of the text."""
    static: dict[str, Json] = policies["staticPolicies"]
    return tuple(_effect_and_notes(static[f"policy{n}"]) for n in range(len(static)))


def _effect_and_notes(policy: Json) -> tuple[str, dict[str, str]]:
    noted = policy.get("annotations", {})
    return str(policy["effect"]), {str(k): str(v or "") for k, v in noted.items()}


@lru_cache(maxsize=8)
def _schema(text: str) -> cedarpy.Schema:
    return cedarpy.Schema.from_str(text)
