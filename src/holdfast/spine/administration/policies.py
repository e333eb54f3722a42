"""The policies by which administrative acts are judged: one set for the whole house, parsed once."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.spine.decision.engine import Engine, annotated, parsed
from holdfast.spine.decision.rules import Rule, read_rules

if TYPE_CHECKING:
    from holdfast.spine.decision.engine import Answer, Json

ACTION: Final = "administer"
_FOLDER: Final = files("holdfast.spine.administration").joinpath("guards")


@lru_cache(maxsize=1)
def policies_text() -> str:
    """The grants and guards."""
    return _FOLDER.joinpath("administration.cedar").read_text("utf-8")


@lru_cache(maxsize=1)
def schema_text() -> str:
    """The schema that every policy and every request must fit."""
    return _FOLDER.joinpath("administration.cedarschema").read_text("utf-8")


class Standing(NamedTuple):
    """What the acting person is. ``client`` is the client concerned, "" for the house itself."""

    roles: tuple[str, ...]
    client: str = ""
    works_there: bool = False

    def resource(self) -> dict[str, str]:
        """Name the client or the house."""
        return {"type": "Client", "id": self.client} if self.client else dict(_HOUSE)

    def entities(self) -> list[Json]:
        """Write person, roles, client and house as Cedar's JSON."""
        roles = [{"type": "Role", "id": role} for role in self.roles]
        there = [self.resource()] if self.client and self.works_there else []
        made: list[Json] = [
            {"uid": _PRINCIPAL, "attrs": {}, "parents": [*roles, *there]},
            {"uid": _HOUSE, "attrs": {}, "parents": []},
        ]
        made += [{"uid": uid, "attrs": {}, "parents": []} for uid in roles]
        if self.client:
            made.append({"uid": self.resource(), "attrs": {}, "parents": [_HOUSE]})
        return made


_HOUSE: Final = {"type": "House", "id": "house"}
_PRINCIPAL: Final = {"type": "Person", "id": "requester"}


class Policies:
    """The parsed set with what is told about each guard; ``rules`` by position in the text, None for a grant."""

    def __init__(self) -> None:
        whole = parsed(policies_text())
        static = whole["staticPolicies"]
        grants = {name: one for name, one in static.items() if one["effect"] == "permit"}
        self.rules: tuple[Rule | None, ...] = read_rules(annotated(whole))
        self._whole = Engine(whole, schema_text())
        self._grants = Engine({**whole, "staticPolicies": grants}, schema_text())

    def ask(self, standing: Standing, context: object) -> Answer:
        """Put one request to the engine, which fails closed."""
        return self._whole.ask(ACTION, standing, context)

    def granted(self, standing: Standing, context: object) -> bool:
        """Tell whether a grant matches, whatever the guards say."""
        return self._grants.ask(ACTION, standing, context).allowed

    def fired(self, answer: Answer) -> list[Rule]:
        """The guards that refused; empty when no grant matched."""
        return [rule for position in answer.fired if (rule := self.rules[position]) is not None]


@lru_cache(maxsize=1)
def policies() -> Policies:
    """The house's policies of administration."""
    return Policies()
