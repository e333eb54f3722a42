"""The fixture of the AuthZEN certification scenario: who may do what, as a client's contract says it."""

from __future__ import annotations

RULES = """
[[pdp]]
id = "alice-reads-and-writes"
resource_type = "record"
actions = ["read", "write"]
subjects = ["alice"]

[[pdp]]
id = "bob-reads"
resource_type = "record"
actions = ["read"]
subject_type = "user"
subjects = ["bob"]

[[pdp]]
id = "archived-records-stay"
effect = "forbid"
resource_type = "record"
actions = ["write"]
resource.status = ["archived"]
unless_subject.role = ["admin"]

[[pdp]]
id = "administrators-write-the-archive"
resource_type = "record"
actions = ["write"]
subject.role = ["admin"]
resource.status = ["archived"]

[[pdp]]
id = "alice-deletes-softly"
resource_type = "record"
actions = ["delete"]
subjects = ["alice"]
action.soft = [true]
"""

ALICE = {"type": "user", "id": "alice"}
BOB = {"type": "user", "id": "bob"}
ADMIN = {**BOB, "properties": {"role": "admin"}}
READ, WRITE, DELETE = ({"name": name} for name in ("read", "write", "delete"))
ONE = {"type": "record", "id": "record-1"}
ACTIVE = {**ONE, "properties": {"status": "active"}}
ARCHIVED = {"type": "record", "id": "record-2", "properties": {"status": "archived"}}


def question(subject=ALICE, action=READ, resource=ONE, **more):
    """A well-formed evaluation; None leaves a member out."""
    body = {"subject": subject, "action": action, "resource": resource, **more}
    return {name: value for name, value in body.items() if value is not None}
