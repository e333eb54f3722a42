"""The judgement of one administrative act. Pure: who acts and what holds in, a ruling out.

It is asked in two steps, so that who may not do an act at all learns nothing about what it would have touched:
:func:`entry` judges the person, :func:`judge` the act. That a second person would help is read off a further evaluation
with exactly this condition met, never off a denial (SPINE 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import msgspec.structs

from holdfast.spine.administration.policies import Standing, policies
from holdfast.spine.decision.reasons import NOT_EVALUATED, UNMET, lowest_tier, reasons_of
from holdfast.spine.decision.rules import Effect, Rule, Stage
from holdfast.spine.decision.verdict import RuleReason
from holdfast.vocabulary.levels import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.spine.decision.engine import Answer
    from holdfast.vocabulary.facts import FactId, FactValue

NO_ROLE: Final = "admin.role"
ANY_CLIENT: Final = "any"


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What Cedar is told beside the entities; see the schema."""

    act: str
    met: tuple[str, ...]
    level: int
    oneself: bool = False
    widens: bool = False
    second: bool = False
    approved: bool = False


class Ruling(NamedTuple):
    """What became of an act: allowed when there are no ``reasons`` against it.

    ``needs_second`` says that a second person's approval, and nothing else, is missing.
    """

    reasons: tuple[RuleReason, ...] = ()
    needs_second: bool = False

    @property
    def allowed(self) -> bool:
        """Whether the act may be done now."""
        return not self.reasons


ALLOWED: Final = Ruling()
_BROKEN: Final = Ruling((NOT_EVALUATED,))


def entry(standing: Standing, context: Context, facts: Mapping[FactId, FactValue]) -> Ruling:
    """Judge the person alone: whether they are active, and whether they may do this for anybody at all.

    ``standing`` has the roles only; a client that they work for is supposed, and that they act on themselves.
    """
    anywhere = Standing(standing.roles, ANY_CLIENT, works_there=True)
    answer = policies().ask(anywhere, context)
    about_actor = _about_actor(answer)
    if answer.errors:
        return _BROKEN
    if about_actor:
        return Ruling(reasons_of(lowest_tier(about_actor), facts))
    own = msgspec.structs.replace(context, oneself=True)
    if policies().granted(anywhere, context) or policies().granted(anywhere, own):
        return ALLOWED
    return Ruling((_no_role(standing, context),))


def judge(standing: Standing, context: Context, facts: Mapping[FactId, FactValue]) -> Ruling:
    """Judge the act for one client, or for the house."""
    answer = policies().ask(standing, context)
    if answer.errors:
        return _BROKEN
    if answer.allowed:
        return ALLOWED
    about_actor = _about_actor(answer)
    if about_actor:
        return Ruling(reasons_of(lowest_tier(about_actor), facts))
    if not policies().granted(standing, context):
        return Ruling((_no_role(standing, context),))
    fired = policies().fired(answer)
    needs_second = {rule.effect for rule in fired} == {Effect.APPROVE}
    approved = msgspec.structs.replace(context, approved=True)
    return Ruling(
        reasons_of(fired, facts) or (NOT_EVALUATED,),
        needs_second=needs_second and policies().ask(standing, approved).allowed,
    )


def _about_actor(answer: Answer) -> list[Rule]:
    return [rule for rule in policies().fired(answer) if rule.stage is Stage.VISIBILITY]


def _no_role(standing: Standing, context: Context) -> RuleReason:
    """Name the roles that may do it where the person may not."""
    able = [
        role.value
        for role in Role
        if policies().granted(Standing((role.value,), ANY_CLIENT, works_there=True), context)
    ]
    have = ", ".join(sorted(standing.roles)) or "none"
    return RuleReason(
        rule=NO_ROLE,
        state=UNMET,
        fact="",
        value=f"the acting person has {have}",
        remedy_text="Ask somebody who has it, or set HOLDFAST_TOKEN to their token.",
        label=f"You have {_one_of(able)}.",
    )


def _one_of(roles: list[str]) -> str:
    if not roles:
        return "a role that may do this"
    return f"the role {roles[0]}" if len(roles) == 1 else f"one of the roles {', '.join(roles)}"
