"""The port to Cedar: allowed means Allow, no errors, schema used; everything else is not."""

from __future__ import annotations

import pytest

from holdfast.kit.errors import InvalidInput
from holdfast.spine.decision.engine import MOST_REMEMBERED, Engine, Slice, validate

SCHEMA = """
entity Role; entity Client; entity Programme in [Client]; entity Person in [Role, Programme];
action look appliesTo { principal: Person, resource: Programme, context: { level: Long } };
"""
PERMIT = "permit (principal, action, resource) when { principal in resource };\n"
OVERFLOWS = "forbid (principal, action, resource) when { context.level + 9223372036854775807 > 0 };"
HELD = Slice("bank-01", "retail", ("agent",), ("retail",))


def test_allowed():
    answer = Engine(PERMIT, SCHEMA).ask("look", HELD, {"level": 1})
    assert answer == (True, (0,), ())


def test_no_grant():
    answer = Engine(PERMIT, SCHEMA).ask("look", HELD._replace(programmes=()), {"level": 1})
    assert answer == (False, (), ())


def test_a_policy_that_raises_an_error_is_no_permission():
    assert validate(PERMIT + OVERFLOWS, SCHEMA) == ()  # nothing tells beforehand
    engine = Engine(PERMIT + OVERFLOWS, SCHEMA)
    answer = engine.ask("look", HELD, {"level": 1})
    assert not answer.allowed
    assert "overflow" in answer.errors[0]
    assert not engine.ask(
        "look", HELD, {"level": 0}
    ).allowed  # here the forbid holds without an error


def test_a_permit_that_raises_an_error_is_no_permission():
    text = PERMIT + OVERFLOWS.replace("forbid", "permit")
    answer = Engine(text, SCHEMA).ask("look", HELD, {"level": 1})
    assert not answer.allowed
    assert answer.errors


@pytest.mark.parametrize(
    ("action", "held", "context"),
    [
        ("export", HELD, {"level": 1}),
        ("look", HELD, {}),
        ("look", HELD, {"level": "1"}),
        ("look", HELD, object()),
        ("look", HELD, [1]),
        ("", HELD, {"level": 1}),
        ("look", HELD._replace(roles=(1,)), {"level": 1}),
    ],
)
def test_what_can_not_be_asked_is_no_permission(action, held, context):
    answer = Engine(PERMIT, SCHEMA).ask(action, held, context)
    assert not answer.allowed
    assert answer.errors


def test_an_answer_is_remembered_by_all_that_was_asked():
    engine = Engine(
        PERMIT + "forbid (principal, action, resource) when { context.level < 2 };", SCHEMA
    )
    for _ in range(2):
        assert not engine.ask("look", HELD, {"level": 1}).allowed
        assert engine.ask("look", HELD, {"level": 2}).allowed
        assert not engine.ask("look", HELD._replace(client="bank-02"), {"level": 1}).allowed
        assert not engine.ask("look", HELD._replace(programme="fraud"), {"level": 2}).allowed


def test_a_flood_of_different_questions_does_not_fill_the_memory():
    engine = Engine(PERMIT, SCHEMA)
    for number in range(MOST_REMEMBERED + 50):
        engine.ask("look", HELD, {"level": number})
    assert len(engine._answers) == MOST_REMEMBERED


def test_names_with_odd_characters_are_names():
    odd = Slice('ba"nk', 'a"b\\c\n', ("agent",), ('a"b\\c\n',))
    assert Engine(PERMIT, SCHEMA).ask("look", odd, {"level": 1}).allowed


def test_policies_that_do_not_parse_are_refused():
    with pytest.raises(InvalidInput):
        Engine("permit", SCHEMA)
    assert validate("permit", SCHEMA)
