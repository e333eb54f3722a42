"""The offline verifier: checks a bundle of a log and trusts nothing that is in it (SPINE 27).

No database, no network, no Django: a client runs it on its own machine, against its own key and its own memory of
what it saw before.
"""

from holdfast.spine.ledger.verify.report import Finding, Outcome, Report
from holdfast.spine.ledger.verify.run import Given, verify_bundle

__all__ = ["Finding", "Given", "Outcome", "Report", "verify_bundle"]
