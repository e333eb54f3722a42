"""An :class:`AdminHouse` whose first client has a contract and keys: commands and the data plane can open it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.spine.decision import store as decisions
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.vault.hierarchy import ensure_client_keys
from holdfast.spine.vault.roots import ROOT_FILE, FileRoot
from holdfast.vocabulary.levels import Role
from support.admin import AdminHouse, ask

if TYPE_CHECKING:
    from pathlib import Path

CONTRACT = """
[client]
id = "bank-01"
name = "Bank 01"

[[programme]]
id = "cards"

[[queue]]
id = "cards-inbound"
programme = "cards"
reasons = ["lost"]

[[reason]]
id = "lost"
label = "Card lost"
[reason.fields]
customers = ["name"]
"""


class PublishedHouse(AdminHouse):
    """``bank-01`` has a contract with one queue; the agent ``A1`` works it."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        root = FileRoot.create(home / ROOT_FILE)
        row = decisions.ADD_CONTRACT(
            client="bank-01",
            version=1,
            text=CONTRACT,
            digest=compile_contract(CONTRACT, version=1).digest,
            salt=b"",
            signature="",
            policies_digest="",
            published_us=0,
            by="",
        )
        use = decisions.USE_CONTRACT(client="bank-01", version=1, name="Bank 01", before=0)
        self.transact(ask(row, use))
        self.transact(ensure_client_keys(root, "bank-01"))
        self.agent = self.person("A1", Role.AGENT, client="bank-01")
