"""``holdfast demo`` (``make run``): a demo house, its two addresses, and one contact walked through in the terminal.

The first time it founds the house in ``var/demo`` with the very commands that an administrator types, and shows them.
Later it starts what is there. It then serves until Ctrl-C. Secrets of the demo stand in ``demo.json`` beside the house,
readable by its owner only.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from holdfast.drills.bank.build import CONTRACT, SCHEMA
from holdfast.drills.demo_data import customer, write_customers
from holdfast.drills.shift import Shift
from holdfast.drills.walk import Caller, Desk, Teller, walk
from holdfast.edges.cli.serve import Supervisor
from holdfast.kit.clock import HOUR_US, SystemClock, parse_rfc3339
from holdfast.kit.config import load_settings
from holdfast.kit.errors import Unavailable
from holdfast.kit.files import write_durably
from holdfast.kit.terminal import say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from holdfast.kit.config import Settings

CLIENT: Final = "bank-01"
COLLECTION: Final = "customers"
AGENT: Final = "A0001"
LEAD: Final = "L0001"
TELEPHONY: Final = "T0001"
FEED: Final = "bank-acd"
CUSTOMERS: Final = 2000
WRAP_UP_S: Final = 2
STATE: Final = "demo.json"
SIMULATED: Final = ("A0002", "A0003", "A0004")
#: Who can be tried with one click: staff id, employer, roles, and what they do.
PERSONAS: Final = (
    (AGENT, "house", "agent", "Takes calls of Bank 01's card holders."),
    (LEAD, "house", "lead", "Approves, sees what is refused to the team, covers."),
    ("S0001", "house", "security", "Watches every decision, ends sessions, contains."),
    ("C0001", CLIENT, "client_user", "Works at Bank 01: sees who looked at whose data, and why."),
    ("U0001", "auditors", "auditor", "Draws samples and checks the proofs."),
    (TELEPHONY, "house", "admin", "Adds people, publishes contracts, connects feeds."),
)
_TYPES: Final = "contact.queued,contact.connected,contact.held,contact.transferred,contact.ended"
#: What the demo's contract has beside the bank's: an action for its call, and approvals for many runs of a day.
_ACTION: Final = """
[[action]]
id = "block_card"
label = "Block of a card"
clause = "4.7"
reasons = ["dispute"]
proof = { matches = 2 }
targets = ["card-system"]
approval = true

[[reason]]
id = "estate"
label = "Estate of a customer"
clause = "4.8"
fields.customers = ["name", "address", "acct", "balance"]
approval.customers = ["acct"]

[approval]
per_pair = 100
per_approver = 100
"""


class Demo:
    """The demo house in a folder. ``write`` is where the story goes."""

    def __init__(self, home: Path, write: Callable[[str], None]) -> None:
        self.home = home
        self._write = write
        self._state: dict[str, Any] = {}

    @property
    def is_founded(self) -> bool:
        """Whether the house was set up to its end."""
        return (self.home / STATE).exists()

    def found(self) -> None:
        """Set the house up, with the commands that an administrator types."""
        files = self.home / "files"
        files.mkdir(parents=True, exist_ok=True)
        contract = CONTRACT.replace('wrap_up = "2 min"', f'wrap_up = "{WRAP_UP_S} s"')
        contract = contract.replace('"card-lost"]', '"card-lost", "estate"]')
        write_durably(files / "contract.toml", (contract + _ACTION).encode())
        write_durably(files / "schema.toml", SCHEMA.encode())
        write_customers(files / "customers.csv", CUSTOMERS, spoilt=3)
        self.run("init")
        vkeys = self.run("client", "add", CLIENT, "--contract", str(files / "contract.toml"))
        schema = str(files / "schema.toml")
        self.run("collection", "add", CLIENT, COLLECTION, "--schema", schema)
        self.run("import", f"{CLIENT}/{COLLECTION}", str(files / "customers.csv"), expect=(0, 3))
        self.run("person", "add", AGENT, "--employer", "house", "--role", "agent",
                 "--programme", "cards-in")  # fmt: skip
        self.run("person", "add", LEAD, "--employer", "house", "--role", "lead",
                 "--programme", "cards-in")  # fmt: skip
        self._people()
        self.run("feed", "add", FEED, "--client", CLIENT, "--types", _TYPES)
        self._write(
            "# Nobody has both a feed's key and a token that it empowers: a second administrator makes the key."
        )
        self.run("person", "add", TELEPHONY, "--employer", "house", "--role", "admin")
        held = str(files / "telephony.pem")
        self.run("token", "key", held)
        issued = self.run("token", "create", "--person", TELEPHONY, "--expires", "1h",
                          "--dpop-key", held, secret=True)  # fmt: skip
        acting = {"HOLDFAST_TOKEN": issued.strip(), "HOLDFAST_TOKEN_KEY_FILE": held}
        key = json.loads(self.run("feed", "key", FEED, "--json", secret=True, acting=acting))
        self._state = {
            "vkeys": vkeys.split(),
            "kid": key["kid"],
            "secret": key["secret"],
            "runs": 0,
        }
        self._write(
            "# Nor does an approval count by a token that whoever issued the agent's could use."
        )
        self.run("token", "key", str(self._lead_key))
        self.issue_tokens()

    def _people(self) -> None:
        """Add the agents of the shift, and whoever looks at it from elsewhere."""
        for staff in SIMULATED:
            self.run("person", "add", staff, "--employer", "house", "--role", "agent",
                     "--programme", "cards-in", shown=False)  # fmt: skip
        for staff, employer, role, _ in PERSONAS:
            if staff not in {AGENT, LEAD, TELEPHONY}:
                self.run("person", "add", staff, "--employer", employer, "--role", role,
                         "--programme", "cards-in", shown=False)  # fmt: skip

    def issue_tokens(self) -> None:
        """Give the agent and their lead tokens for the day; the lead's is bound to a key that stays with them."""
        bound = ("--dpop-key", str(self._lead_key))
        for person, name, more in ((LEAD, "lead_token", bound), (AGENT, "token", ())):
            create = ("token", "create", "--person", person, *more, "--json")
            issued = json.loads(self.run(*create, secret=True))
            self._state |= {name: issued["token"], "expires": issued["expires"]}
        self._state["agents"] = {
            staff: json.loads(
                self.run("token", "create", "--person", staff, "--json", secret=True, shown=False)
            )["token"]
            for staff in SIMULATED
        }
        self._state["personas"] = [
            {"staff_id": staff, "role": role, "does": does} for staff, _, role, does in PERSONAS
        ]
        self._keep()

    @property
    def _lead_key(self) -> Path:
        return self.home / "files" / "lead.pem"

    def _by_lead(self) -> dict[str, str]:
        """Settings by which a command acts in the lead's name."""
        token = self._state["lead_token"]
        return {"HOLDFAST_TOKEN": token, "HOLDFAST_TOKEN_KEY_FILE": str(self._lead_key)}

    def load(self) -> None:
        """Read what an earlier run left, and renew the tokens when their day is nearly over."""
        self._state = json.loads((self.home / STATE).read_text())
        if not self._lead_key.exists() or "agents" not in self._state:
            raise Unavailable(
                f"the demo house in {self.home} was made by an earlier version",
                remedy="Begin anew: `make clean`, then `make run`.",
            )
        left_us = parse_rfc3339(self._state["expires"]) - SystemClock().now_us()
        if left_us < HOUR_US:
            self.issue_tokens()

    def _keep(self) -> None:
        content = json.dumps(self._state, indent=1).encode()
        write_durably(self.home / STATE, content, mode=0o600)

    def run(
        self,
        *arguments: str,
        expect: tuple[int, ...] = (0,),
        secret: bool = False,
        shown: bool = True,
        acting: Mapping[str, str] | None = None,
    ) -> str:
        """Run one command on the house, show it, and return what it printed; secrets are not shown.

        ``acting`` holds the settings that say in whose name; without them it is the first administrator's.
        """
        if shown:
            by = "".join(f"{name}=… " for name in acting or ())
            self._write(f"$ {by}holdfast {self._short(arguments)}")
        done = subprocess.run(
            [sys.executable, "-m", "holdfast", *arguments],
            env={**os.environ, "HOLDFAST_HOME": str(self.home), **(acting or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in expect:
            raise Unavailable(f"`holdfast {self._short(arguments)}` failed:\n{done.stderr.strip()}")
        if shown and not secret:
            told = (done.stdout + done.stderr).replace(f"{self.home}/", "")
            for line in told.splitlines():
                if line and not line.startswith("Next:"):
                    self._write(f"  {line if len(line) <= 100 else line[:60] + '…'}")
        return done.stdout

    def _short(self, arguments: tuple[str, ...]) -> str:
        return shlex.join(argument.replace(f"{self.home}/", "") for argument in arguments)

    def walk(self, settings: Settings) -> str:
        """Walk one contact through on the running house; returns a decision that is worth explaining."""
        number = (
            self._state["runs"] * 7 % CUSTOMERS
        )  # another customer each time: attempts are limited per day
        self._state["runs"] += 1
        self._keep()
        one = customer(number)
        desk = self._desk(settings)
        caller = Caller(
            phone=one.phone,
            account=one.account,
            date_of_birth=one.date_of_birth,
            postcode=one.postcode,
        )
        return walk(
            desk,
            caller,
            Teller(self._write),
            run=lambda *arguments, by_lead=False: self.run(
                *arguments, shown=False, acting=self._by_lead() if by_lead else None
            ),
            folder=self.home / "log-of-bank-01",
            vkeys=self._state["vkeys"],
            wrap_up_s=WRAP_UP_S,
        )

    def _desk(self, settings: Settings) -> Desk:
        return Desk(
            url=f"http://localhost:{settings.data_plane_port}",
            token=self._state["token"],
            client=CLIENT,
            collection=COLLECTION,
            agent=AGENT,
            feed=FEED,
            feed_kid=self._state["kid"],
            feed_secret=self._state["secret"],
        )

    def shift(self, settings: Settings) -> Shift:
        """The shift that runs beside it."""
        return Shift(self._desk(settings), self._state["agents"], customers=CUSTOMERS)

    def next_steps(self, settings: Settings, decision: str) -> None:
        """Say what to try."""
        home = _relative(self.home)
        port = settings.data_plane_port
        steps = (
            (f"export HOLDFAST_HOME={home}; alias holdfast=.venv/bin/holdfast", ""),
            ("holdfast doctor", "what is checked before anything listens"),
            (f"holdfast explain {decision}", "step 4: why, proven"),
            ("holdfast policy test bank-01", "the contract's own tests"),
            (
                f"holdfast policy diff bank-01 --contract {home}/files/contract.toml",
                "edit it first: what would have come out otherwise?",
            ),
            (f"holdfast verify {home}/log-of-bank-01", "as the client does, here without its key"),
            (f"xdg-open {home}/log-of-bank-01/verifier.html", "the same in a browser"),
            (f"curl http://localhost:{port}/openapi.json", "the HTTP interface"),
        )
        self._write("")
        self._write("The house stays up until Ctrl-C. Try next, in another terminal:")
        for command, why in steps:
            self._write(f"  {command}" + (f"   # {why}" if why else ""))
        self._write("")
        self._write(f"Open http://localhost:{settings.console_port} and be anybody with one click;")
        self._write("a simulated shift is running, and a call is with the agent.")
        self._write("docs/tutorials/first-hour.md takes a file of your own from CSV to proof.")


def _relative(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


@click.command()
@click.option(
    "--walk-only", is_flag=True, help="End after the walk instead of serving until Ctrl-C."
)
def demo(*, walk_only: bool) -> None:
    """Set up a demo house in HOLDFAST_HOME (default var/demo), serve it, and walk one contact through.

    The second time it starts what is there and imports nothing.

    \b
    Example:
      holdfast demo
    """  # noqa: D301  click keeps the lines after \b as they are
    os.environ.setdefault("HOLDFAST_HOME", str(Path("var/demo").absolute()))
    settings = load_settings()
    show = Demo(settings.home, click.echo)
    if show.is_founded:
        show.load()
        click.echo(
            f"The demo house in {_relative(settings.home)} is there; nothing is imported again."
        )
    else:
        if settings.data_path.exists():
            raise Unavailable(
                f"{settings.home} holds a house that is no finished demo",
                remedy="Remove the folder (`make clean`) or name another in HOLDFAST_HOME.",
            )
        click.echo(f"Setting up a demo house in {_relative(settings.home)}:")
        show.found()
    os.environ["HOLDFAST_DEMO"] = "true"
    settings = load_settings()
    supervisor = Supervisor(settings)
    supervisor.start()
    click.echo("")
    click.echo(f"Console     http://localhost:{settings.console_port}")
    click.echo(f"Data plane  http://localhost:{settings.data_plane_port}")
    try:
        decision = show.walk(settings)
    except BaseException:
        supervisor.stop()
        raise
    if walk_only:
        supervisor.stop()
        return
    show.next_steps(settings, decision)
    say("")
    shift = show.shift(settings)
    shift.start()
    try:
        raise SystemExit(supervisor.wait())
    finally:
        shift.stop()
