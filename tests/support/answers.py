"""Reading answers of the path: what was refused, by which rules, and whether anything was shown."""

from __future__ import annotations

from typing import Any

import msgspec

from holdfast.spine.turn.answers import Refused

BASIC = {"decision", "leaf"}


def rules(answer: Any) -> set[str]:
    """The rules that a refusal names; fails if it is none."""
    assert isinstance(answer, Refused), answer
    return {reason.rule for reason in answer.reasons}


def withheld(answer: Any, field: str) -> set[str]:
    """The rules because of which one field of a partial answer is withheld; fails if it is shown."""
    shown = answer.fields[field]
    assert (shown.shown, shown.value) == ("withheld", None)
    return {reason.rule for reason in shown.reasons}


def body(answer: Any) -> dict[str, Any]:
    """An answer as it leaves, without the ids that are new every time."""
    content: dict[str, Any] = msgspec.to_builtins(answer)
    assert content.pop("decision").startswith("dec_")
    content["leaf"] = {"log": content["leaf"]["log"]}
    return content


def text_of(answer: Any) -> str:
    """All of an answer as text, to look for what must not stand in it."""
    return msgspec.json.encode(answer).decode()
