"""The OpenAPI document against the server: whatever fits it, or nearly fits it, is answered and never fails within."""

from __future__ import annotations

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


OPERATIONS = (
    ("/v1/search", "POST"),
    ("/v1/reveal", "POST"),
    ("/v1/verify", "POST"),
    ("/v1/update", "POST"),
    ("/v1/reason", "POST"),
    ("/v1/decisions/{id}", "GET"),
    ("/access/v1/evaluation", "POST"),
    ("/access/v1/evaluations", "POST"),
    ("/v1/feeds/{name}", "POST"),
    ("/logs/{log}/checkpoint", "GET"),
    ("/readyz", "GET"),
)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_answer_is_one_that_the_document_names(bank, schema, path, method, mode):
    if mode is GenerationMode.NEGATIVE and path == "/readyz":
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
            headers={"Authorization": f"Bearer {bank.token}"},
        )
        assert response.status_code < 500, response.content
        case.validate_response(response, checks=CONFORMS)

    ask()


texts = st.text(max_size=40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=80, database=None)
@given(data=st.data())
def test_a_valid_request_with_one_member_replaced_by_anything(bank, data):
    """Closer to the path than what is drawn from the document: it gets past authentication and parsing more often."""
    body = bank.look()
    member = data.draw(st.sampled_from([*body, "record", "more"]))
    body[member] = data.draw(json_values)
    path = data.draw(st.sampled_from(("search", "reveal", "verify", "update", "reason")))
    answer = bank.post(f"/v1/{path}", body, bank.token)
    assert answer.status < 500
    assert answer.body
