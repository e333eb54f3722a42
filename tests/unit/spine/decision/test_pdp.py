"""The contract's ``[[pdp]]`` rules: read strictly, compiled with types, compared for what is wider."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kit.errors import InvalidInput
from holdfast.spine.decision.changes import changes
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.pdp import MOST_RULES, Asking, Entity, Pdp
from holdfast.spine.decision.policies import compile_policies
from support.authzen import RULES
from support.judging import CONTRACT


def rules(text=""):
    return compile_contract(CONTRACT + text).pdp


def ask(pdp, subject="alice", action="read", **properties):
    """Ask about a record; ``properties`` are of subject, action and resource."""
    said = {"subject": {}, "action": {}, "resource": {}, **properties}
    return pdp.decide(
        Asking(
            Entity("user", subject, said["subject"]),
            Entity("", action, said["action"]),
            Entity("record", "record-1", said["resource"]),
        )
    )


def test_a_rule_is_read_as_it_stands():
    found = {rule.id: rule for rule in rules(RULES)}
    stay = found["archived-records-stay"]
    assert (stay.effect, stay.resource_type, stay.actions) == ("forbid", "record", ("write",))
    assert stay.resource == {"status": ("archived",)}
    assert stay.unless_subject == {"role": ("admin",)}
    assert found["alice-deletes-softly"].action == {"soft": (True,)}


BASE = '[[pdp]]\nid = "a"\nresource_type = "record"\n'


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('[[pdp]]\nresource_type = "record"', "pdp[1]"),
        ('[[pdp]]\nid = "a"', "pdp[1]"),
        (BASE + 'effect = "allow"', "pdp[1].effect"),
        (BASE + "actions = [1]", "pdp[1].actions"),
        (BASE + "colour = 1", "pdp[1].colour"),
        (BASE + 'subject.role = "admin"', "pdp[1].subject.role"),
        (BASE + "subject.role = []", "pdp[1].subject.role"),
        (BASE + 'subject.role = ["a", 1]', "pdp[1].subject.role"),
        (BASE + "subject.role = [1, true]", "pdp[1].subject.role"),
        (BASE + "subject.level = [1.5]", "pdp[1].subject.level"),
        (BASE + f"subject.level = [{2**63}]", "pdp[1].subject.level"),
        (BASE + 'subject."a b" = ["x"]', "pdp[1].subject.a b"),
        (BASE + 'subject.role = ["a\\u0000"]', "pdp[1].subject.role"),
        (BASE + BASE, "pdp[2].id"),
    ],
)
def test_a_rule_that_is_none_is_refused_by_name(text, field):
    with pytest.raises(InvalidInput) as error:
        rules(text)
    assert error.value.field == field


def test_a_property_has_one_type_in_all_rules():
    two = BASE + 'subject.level = ["high"]\n' + BASE.replace('"a"', '"b"') + "subject.level = [3]\n"
    with pytest.raises(InvalidInput, match="two types"):
        compile_policies(compile_contract(CONTRACT + two))


def test_there_is_a_limit_of_rules():
    many = "".join(BASE.replace('"a"', f'"r{n}"') for n in range(MOST_RULES + 1))
    with pytest.raises(InvalidInput, match=f"{MOST_RULES} are the most"):
        compile_policies(compile_contract(CONTRACT + many))


def test_rules_are_part_of_the_digest_and_a_contract_without_any_keeps_its_own():
    plain, more = (compile_policies(compile_contract(CONTRACT + t)) for t in ("", RULES))
    assert plain.text == more.text
    assert plain.digest != more.digest


@pytest.mark.parametrize("name", ["in", "like", "principal", "has", "a.b", "a-b", "_", "if"])
def test_a_property_may_be_named_like_a_word_of_the_engine(name):
    pdp = Pdp(rules(BASE + f'resource."{name}" = ["x"]'))
    assert ask(pdp, resource={name: "x"}).permitted
    assert not ask(pdp, resource={name: "y"}).permitted
    assert not ask(pdp).permitted


@given(text=st.text(min_size=1, max_size=40))
def test_any_name_is_a_name_and_nothing_else(text):
    pdp = Pdp(rules(BASE + 'subjects = ["alice"]'))
    assert ask(pdp, text).permitted is (text == "alice")


@given(
    st.dictionaries(
        st.sampled_from(["role", "status", "soft", "other"]),
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.text()),
        max_size=4,
    )
)
def test_no_properties_make_the_engine_fail(properties):
    pdp = Pdp(rules(RULES))
    for action in ("read", "write", "delete"):
        said = dict.fromkeys(("subject", "action", "resource"), properties)
        decided = pdp.decide(
            Asking(
                Entity("user", "alice", said["subject"]),
                Entity("", action, said["action"]),
                Entity("record", "record-1", said["resource"]),
            )
        )
        assert decided.reason in {"", "denied", "malformed"}
        assert decided.permitted is (decided.reason == "")


def test_what_a_new_version_changes():
    before, after = compile_contract(CONTRACT), compile_contract(CONTRACT + RULES)
    found = [(c.kind, c.where, c.text) for c in changes(before, after)]
    assert ("wider", "pdp, permit", "bob-reads is new") in found
    assert ("narrower", "pdp, forbid", "archived-records-stay is new") in found
    back = {(c.kind, c.text) for c in changes(after, before)}
    assert ("narrower", "bob-reads is gone") in back
    assert ("wider", "archived-records-stay is gone") in back
    other = compile_contract(CONTRACT + RULES.replace('subjects = ["bob"]', ""))
    assert [(c.kind, c.where) for c in changes(after, other)] == [("wider", "pdp bob-reads")]
