"""The OpenAPI document against the server: whatever fits it, or nearly fits it, is answered and never fails within."""

from __future__ import annotations

import json

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from holdfast.edges.dataplane.openapi import document
from support.api_examples import FILE
from support.live import LiveBank

pytestmark = [pytest.mark.slow, pytest.mark.server]
EXAMPLES = 12
CONFORMS = [status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    with LiveBank(tmp_path_factory.mktemp("live") / "house") as bank:
        bank.connect()
        yield bank
    log = bank.stderr.read_text()
    assert "Traceback" not in log
    assert "_failed" not in log


@pytest.fixture(scope="module")
def schema(bank):
    return schemathesis.openapi.from_dict(bank.request("GET", "/openapi.json").body)


#: Every operation of the document: a new one is tried as soon as it is documented.
OPERATIONS = tuple(
    (path, method.upper(), bool(operation.get("parameters") or operation.get("requestBody")))
    for path, methods in json.loads(document())["paths"].items()
    for method, operation in methods.items()
)


@pytest.mark.parametrize(
    ("path", "method", "takes"), OPERATIONS, ids=[f"{one[1]} {one[0]}" for one in OPERATIONS]
)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("who", ["token", "admin_token"])
def test_every_answer_is_one_that_the_document_names(bank, schema, path, method, takes, mode, who):
    if mode is GenerationMode.NEGATIVE and not takes:
        pytest.skip("takes nothing that could be wrong")
    operation = schema[path][method]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case):
        response = case.call(
            base_url=f"http://127.0.0.1:{bank.port}",
            headers={"Authorization": f"Bearer {getattr(bank, who)}"},
        )
        not_failed(response.status_code, response.headers, response.content)
        case.validate_response(response, checks=CONFORMS)

    ask()


def not_failed(status, headers, content):
    """Nothing fails within; what cannot be done now says when it can."""
    names = {name.lower() for name in headers}
    assert status < 500 or (status == 503 and "retry-after" in names), (status, content)


texts = st.text(max_size=40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)


BODIES = [
    (one["request"]["line"].split(" ")[1].replace("\u2026", "0"), one["request"]["body"])
    for path, shown in json.loads(FILE.read_text()).items()
    for one in shown
    if isinstance(one["request"].get("body"), dict) and path != "/v1/feeds/{name}"
]


@settings(max_examples=300, deadline=None, database=None)
@given(data=st.data())
def test_a_request_of_the_reference_with_one_member_replaced_by_anything(bank, data):
    """Closer to the path than what is drawn from the document: it gets past parsing more often, at every address."""
    path, body = data.draw(st.sampled_from(BODIES))
    known = {
        "customer": bank.customers["C00001"],
        "contact": "CT-1",
        "purpose": {"contact": "CT-1"},
    }
    body = {name: known.get(name, value) for name, value in body.items()}
    member = data.draw(st.sampled_from([*body, "record", "more"]))
    body[member] = data.draw(json_values | st.sampled_from([*body.values()]))
    who = data.draw(st.sampled_from((bank.token, bank.admin_token)))
    answer = bank.post(path, body, who)
    not_failed(answer.status, dict(answer.headers), answer.body)
    assert answer.body
