"""Round trips that take more than one party, over HTTP, each leaf durable: an approval, and an action.

    python -m bench.second_person [ROUNDS] [--storage sqlite|postgresql|both] [--json] [--quick]

An *approval* is four requests: a look that says it is needed, asking for it, a lead who grants it, the look that uses
it up. An *action* is three: its signed permit, the target system that claims it, the outcome. One connection, one
after the other; reported are wall times of the whole trip and of its steps, and the server's CPU time per trip.
"""

from __future__ import annotations

import http.client
import json
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from bench.house import BenchHouse
from bench.result import Line, Measured, quantiles_ms
from bench.serving import DataPlane
from bench.workload import Workload, command
from holdfast.drills.bank.build import CLIENT, COLLECTION, customer
from holdfast.kit.clock import DAY_US
from holdfast.kit.db import Round
from holdfast.kit.ids import new_id
from holdfast.spine.identity import people
from holdfast.spine.identity.credentials import Bounds, issue
from holdfast.spine.identity.store import ADD_ASSIGNMENT
from holdfast.vocabulary.levels import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.workload import Run

AGENTS = 32
ACTION = "bench_act"
REASON = "bench-second"
CONTRACT = f"""
[approval]
per_pair = 1000
per_approver = 1000

[[reason]]
id = "{REASON}"
fields.customers = ["name", "acct"]
approval.customers = ["acct"]

[[action]]
id = "{ACTION}"
reasons = ["{REASON}"]
proof = {{ matches = 2 }}
targets = ["crm"]
level = "bearer"
per_customer_day = 50
"""


class Talk:
    """One kept-alive connection; each step's wall time is noted."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self.times: dict[str, list[float]] = defaultdict(list)

    def post(
        self, step: str, path: str, body: Any, token: str, *, expect: int = 200, approval: str = ""
    ) -> Any:
        """Send a request and return its answer; any status but ``expect`` ends the workload."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if approval:
            headers["Holdfast-Approval"] = approval
        begun = time.perf_counter()
        sent = None if body is None else json.dumps(body).encode()
        self._connection.request("POST", path, sent, headers)
        answer = self._connection.getresponse()
        given = json.loads(answer.read())
        self.times[step].append(time.perf_counter() - begun)
        if answer.status != expect:
            raise SystemExit(f"{path} answered {answer.status}: {given}")
        return given


class Parties:
    """The agents, a lead who approves, and the target system."""

    def __init__(self, house: BenchHouse) -> None:
        now_us = house.house.clock.now_us()
        self.agents = [house.facts["agents"][staff_id]["token"] for staff_id in house.agents]
        self.lead = house.house.transact(_lead(now_us))
        scoped = Bounds(scopes=(f"act:{CLIENT}",))
        crm = issue(service="crm", life_us=DAY_US, now_us=now_us, bounds=scoped)
        self.crm = house.house.transact(crm).secret.reveal()
        self.customers = [house.customers[f"C{n:05d}"] for n in range(1, AGENTS + 1)]

    def about(self, n: int, **more: Any) -> dict[str, Any]:
        """The members that every request about agent ``n``'s customer has."""
        purpose = {"contact": f"CT-{n + 1}"}
        base = {"client": CLIENT, "customer": self.customers[n], "purpose": purpose}
        return {**base, "collection": COLLECTION, **more}


def _lead(now_us: int) -> Any:
    person = yield from people.add_person(
        staff_id="L0001", employer="house", roles=(Role.LEAD,), now_us=now_us
    )
    yield Round(
        data=(
            ADD_ASSIGNMENT(
                id=new_id("asg", now_us),
                person=person,
                client=CLIENT,
                programme="cards-in",
                queues="",
                roles="lead",
                starts_us=now_us,
                ends_us=None,
            ),
        )
    )
    return (yield from issue(person=person, life_us=DAY_US, now_us=now_us)).secret.reveal()


def approve_once(talk: Talk, parties: Parties, n: int) -> None:
    """Be refused, ask, be granted, look."""
    token, look = parties.agents[n], parties.about(n, fields=["acct"])
    refused = talk.post("refused", "/v1/reveal", look, token, expect=403)
    asked = talk.post("asked", "/v1/approvals", {"decision": refused["decision"]}, token)
    path = f"/v1/approvals/{asked['approval']}/approve"
    talk.post("granted", path, None, parties.lead)
    talk.post("shown", "/v1/reveal", look, token, approval=asked["approval"])


def act_once(talk: Talk, parties: Parties, n: int, proof: str) -> None:
    """Get a permit, which the target system claims and reports on."""
    wanted = parties.about(n, action=ACTION, proof=[proof])
    given = talk.post("permitted", "/v1/act", wanted, parties.agents[n])
    for outcome in ("claimed", "done"):
        told = {"permit": given["permit"], "outcome": outcome}
        talk.post(outcome, f"/v1/act/{given['act']}/outcome", told, parties.crm)


def prove(talk: Talk, parties: Parties, n: int) -> str:
    """Compare two answers of the caller; the decision is what every action of this contact rests on."""
    one = customer(n + 1)
    answers = {"dob": one["dob"], "postcode": one["postcode"]}
    decided = talk.post(
        "verified", "/v1/verify", parties.about(n, answers=answers), parties.agents[n]
    )
    return str(decided["decision"])


def repeated(
    run: Run, talk: Talk, pid: int, trips: Sequence[Callable[[], None]], *, what: str
) -> tuple[Line, dict[str, Any]]:
    """Run the trips one after the other; return the figures of the whole and the times of each step."""
    talk.times.clear()
    whole = []
    with run.metered(pid) as spent:
        client = time.process_time()
        for trip in trips:
            begun = time.perf_counter()
            trip()
            whole.append(time.perf_counter() - begun)
        spent.client_s = time.process_time() - client
    line = Line(
        what=what,
        operations=len(whole),
        wall_s=spent.wall_s,
        cpu_s=spent.cpu,
        **quantiles_ms(whole),
    )
    return line, {name: quantiles_ms(times) for name, times in talk.times.items()}


def measure(run: Run) -> Measured:
    """Approve, then act, as often as ``run`` says for each of the agents."""
    house = BenchHouse(run, agents=AGENTS, reasons=(REASON,), more=CONTRACT)
    parties = Parties(house)
    with DataPlane(house.home, house.port) as plane:
        house.connect_all(REASON)
        talk = Talk(house.port)
        proofs = [prove(talk, parties, n) for n in range(AGENTS)]
        every = [n for _ in range(run.count) for n in range(AGENTS)]
        approvals = [lambda n=n: approve_once(talk, parties, n) for n in every]
        actions = [lambda n=n: act_once(talk, parties, n, proofs[n]) for n in every]
        approval, asked = repeated(
            run, talk, plane.pid, approvals, what="an approval (four requests)"
        )
        action, acted = repeated(run, talk, plane.pid, actions, what="an action (three requests)")
    return Measured(
        lines=(approval, action), details={"steps": {"approval": asked, "action": acted}}
    )


WORKLOAD = Workload(
    module="second_person",
    title="a look that needs an approval, and an action that a target system does",
    measure=measure,
    amount=15,
    quick=1,
    unit="rounds",
)

if __name__ == "__main__":
    command(WORKLOAD)
