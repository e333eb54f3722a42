"""Who reads a decision, and as whom."""

from __future__ import annotations

import pytest

from holdfast.spine.decision.readers import audience_for
from holdfast.vocabulary.levels import Audience, Role

NONE = frozenset()


@pytest.mark.parametrize("role", [Role.SECURITY, Role.DPO, Role.ADMIN, Role.AUDITOR])
def test_overseers_of_the_house_read_all_of_it(role):
    assert audience_for(own=False, house_roles={role}, client_roles=NONE) is Audience.SECURITY


@pytest.mark.parametrize("role", [Role.CLIENT_USER, Role.SECURITY, Role.DPO, Role.AUDITOR])
def test_so_do_the_client_s_own(role):
    assert audience_for(own=False, house_roles=NONE, client_roles={role}) is Audience.SECURITY


def test_a_lead_of_the_client_reads_as_a_lead():
    assert audience_for(own=False, house_roles=NONE, client_roles={Role.LEAD}) is Audience.LEAD


@pytest.mark.parametrize("roles", [NONE, {Role.AGENT}])
def test_nobody_else_reads_it(roles):
    assert audience_for(own=False, house_roles={Role.LEAD, Role.AGENT}, client_roles=roles) is None


def test_one_s_own_is_read_as_oneself_whatever_else_one_is():
    for role in Role:
        assert audience_for(own=True, house_roles={role}, client_roles={role}) is Audience.SELF
