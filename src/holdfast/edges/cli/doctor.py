"""``holdfast doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from holdfast.edges.checks.catalogue import DEPLOY
from holdfast.edges.checks.run import examine
from holdfast.kit.config import load_settings
from holdfast.kit.terminal import ExitCode, emit, json_option, paint, say
from holdfast.vocabulary.manifest import Severity

if TYPE_CHECKING:
    from holdfast.edges.checks.run import Examined

_MARK = {
    Severity.OK: ("✓", "green"),
    Severity.WARNING: ("!", "yellow"),
    Severity.ERROR: ("✗", "red"),
}


@click.command()
@click.option("--deploy", is_flag=True, help="Check also what a house in production wants.")
@json_option
@click.pass_context
def doctor(ctx: click.Context, *, deploy: bool, as_json: bool) -> None:
    """Check the house and say what to do about each finding.

    The same checks run before `holdfast serve` listens; it refuses to start on an error. Those of --deploy do not keep
    it from starting. Exits 0 when there is no error (warnings may remain), 7 otherwise.

    \b
    Examples:
      holdfast doctor
      holdfast doctor --deploy
      holdfast doctor --json | jq '.checks[] | select(.state != "ok")'
    """
    settings = load_settings()
    examined = examine(settings) + (examine(settings, DEPLOY) if deploy else ())
    errors = sum(e.severity is Severity.ERROR for e in examined)
    emit(
        {"ok": not errors, "checks": [_as_data(e) for e in examined]},
        as_json=as_json,
        text="\n".join(_as_text(e) for e in examined),
    )
    if errors:
        say(f"{errors} of {len(examined)} checks failed.")
        ctx.exit(ExitCode.UNAVAILABLE)
    say("The house is sound.")


def _as_data(examined: Examined) -> dict[str, object]:
    return {
        "id": examined.check.id,
        "statement": examined.check.statement,
        "state": "skipped" if examined.skipped else examined.severity.value,
        "findings": [
            {"severity": f.severity.value, "message": f.message, "remedy": f.remedy}
            for f in examined.findings
        ],
    }


def _as_text(examined: Examined) -> str:
    mark, colour = ("–", "dim") if examined.skipped else _MARK[examined.severity]
    lines = [f"{paint(mark, colour)} {examined.check.id:13} {examined.check.statement}"]
    for finding in examined.findings:
        lines += [f"    {finding.message}", f"    → {finding.remedy}"]
    return "\n".join(lines)
