"""Round trips that take more than one party, over HTTP, each leaf durable: an approval, and an action.

    python -m bench.second_person [ROUNDS]

An *approval* is four requests: a look that says it is needed, asking for it, a lead who grants it, the look that uses
it up. An *action* is three: its signed permit, the target system that claims it, the outcome. One connection, one
after the other; reported are wall times of the whole trip and of its steps, and the server's CPU time per trip.
"""

from __future__ import annotations

import http.client
import json
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from bench.house import BenchHouse
from bench.measure import cpu_seconds, fsync_p50_us, percentile, report
from bench.reveal import DataPlane
from holdfast.drills.bank.build import CLIENT, COLLECTION, customer
from holdfast.kit.clock import DAY_US
from holdfast.kit.db import Round
from holdfast.kit.ids import new_id
from holdfast.spine.identity import people
from holdfast.spine.identity.credentials import Bounds, issue
from holdfast.spine.identity.store import ADD_ASSIGNMENT
from holdfast.vocabulary.levels import Role

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
    token, look = parties.agents[n], parties.about(n, fields=["acct"])
    refused = talk.post("refused", "/v1/reveal", look, token, expect=403)
    asked = talk.post("asked", "/v1/approvals", {"decision": refused["decision"]}, token)
    path = f"/v1/approvals/{asked['approval']}/approve"
    talk.post("granted", path, None, parties.lead)
    talk.post("shown", "/v1/reveal", look, token, approval=asked["approval"])


def act_once(talk: Talk, parties: Parties, n: int, proof: str) -> None:
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


def measured(talk: Talk, pid: int, trips: list[Any]) -> dict[str, Any]:
    """Run the trips one after the other."""
    talk.times.clear()
    whole, before = [], cpu_seconds(pid)
    for trip in trips:
        begun = time.perf_counter()
        trip()
        whole.append(time.perf_counter() - begun)
    used = cpu_seconds(pid) - before
    return {
        "trips": len(whole),
        "p50_ms": round(percentile(whole, 0.5) * 1e3, 2),
        "p99_ms": round(percentile(whole, 0.99) * 1e3, 2),
        "cpu_ms_per_trip": round(used / len(whole) * 1e3, 2),
        "steps": {
            name: {
                "p50_ms": round(percentile(times, 0.5) * 1e3, 2),
                "p99_ms": round(percentile(times, 0.99) * 1e3, 2),
            }
            for name, times in talk.times.items()
        },
    }


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as folder:
        house = BenchHouse(Path(folder) / "house", agents=AGENTS, reasons=(REASON,), more=CONTRACT)
        parties = Parties(house)
        plane = DataPlane(house.home, house.port)
        try:
            house.connect_all(REASON)
            talk = Talk(house.port)
            proofs = [prove(talk, parties, n) for n in range(AGENTS)]
            every = [n for _ in range(rounds) for n in range(AGENTS)]
            pid = plane.process.pid
            result = {
                "fsync_p50_us": fsync_p50_us(house.home),
                "approval": measured(
                    talk, pid, [lambda n=n: approve_once(talk, parties, n) for n in every]
                ),
                "action": measured(
                    talk, pid, [lambda n=n: act_once(talk, parties, n, proofs[n]) for n in every]
                ),
            }
        finally:
            plane.stop()
    report("second_person", result)


if __name__ == "__main__":
    main()
