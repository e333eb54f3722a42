"""``holdfast``: finds the command, runs it, and turns what went wrong into a clean message and an exit code.

=====  ==========================================================================
code   meaning
=====  ==========================================================================
0      done
1      internal error; HOLDFAST_DEBUG=true shows the traceback
2      usage, or input that was refused
3      done in part (an import with rejected rows, an event batch with bad lines)
4      not authenticated (verify without a key: consistent with itself only)
5      a rule refuses, or the acting person may not do this
6      integrity broken: stored or published state does not verify
7      unavailable: a part is missing or busy; nothing was done
8      history broken: a log was rolled back, or shows another history than before
9      promise broken: a leaf that a receipt promised is not in the log
130    stopped with Ctrl-C
=====  ==========================================================================
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

import holdfast
from holdfast.edges.cli.commands import COMMANDS, GROUPS
from holdfast.kit.errors import (
    Denied,
    HoldfastError,
    IntegrityBroken,
    InvalidInput,
    NotAuthenticated,
    Unavailable,
)
from holdfast.kit.terminal import ExitCode, say
from holdfast.manifests import commands as declared_commands

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.spine.decision.verdict import RuleReason
    from holdfast.vocabulary.manifest import Command

_STOPPED: Final = 130
CONTEXT: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def load(command: Command) -> click.Command:
    """Import the module of ``command`` and return what its target names; sets Django up first if it needs that."""
    if command.needs_django:
        from holdfast.edges.cli.django import set_up

        set_up()
    module, _, attribute = command.target.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    if not isinstance(found, click.Command):
        raise TypeError(f"{command.target} is no click command")
    return found


class LazyGroup(click.Group):
    """A group whose commands are imported when they are run, and listed from their declarations."""

    def __init__(self, declared: Mapping[str, Command], prefix: str = "", **options: Any) -> None:
        super().__init__(context_settings=CONTEXT, **options)
        self._declared = declared
        self._prefix = prefix

    @cached_property
    def _names(self) -> dict[str, bool]:
        """Names at this level, each with whether it is a group of its own."""
        names: dict[str, bool] = {}
        for path in self._declared:
            if path.startswith(self._prefix):
                name, _, rest = path[len(self._prefix) :].partition(" ")
                names[name] = names.get(name, False) or bool(rest)
        return dict(sorted(names.items()))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the help page."""
        return [*self._names, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command, or make the group; ``None`` when there is no such name."""
        path = self._prefix + cmd_name
        if cmd_name not in self._names:
            return super().get_command(ctx, cmd_name)
        if self._names[cmd_name]:
            return LazyGroup(
                self._declared,
                f"{path} ",
                name=cmd_name,
                help=GROUPS.get(path, ""),
                no_args_is_help=True,
            )
        return load(self._declared[path])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; suggest the nearest when there is none."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise self._with_nearest(error, ctx, args[0]) from None

    def _with_nearest(
        self, error: click.UsageError, ctx: click.Context, given: str
    ) -> click.UsageError:
        import difflib

        near = difflib.get_close_matches(given, self.list_commands(ctx), n=1)
        if near and "Did you mean" not in error.message:
            return click.UsageError(f"{error.message} Did you mean {near[0]!r}?", ctx)
        return error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List names and summaries without importing any command."""
        rows = [(name, self._summary(name)) for name in self._names]
        rows += [
            (name, command.get_short_help_str(80))
            for name, command in sorted(self.commands.items())
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def _summary(self, name: str) -> str:
        path = self._prefix + name
        if self._names[name]:
            return GROUPS.get(path, "")
        return self._declared[path].summary


def _use_home(ctx: click.Context, param: click.Parameter, value: str | None) -> None:  # noqa: ARG001
    if value is not None:
        os.environ["HOLDFAST_HOME"] = value  # also for the processes that this one starts


def root(declared: Mapping[str, Command] | None = None) -> LazyGroup:
    """Build the tree of the commands that are ``declared`` (default: all of the house and its procedures)."""
    group = LazyGroup(
        declared_commands(COMMANDS) if declared is None else declared,
        name="holdfast",
        no_args_is_help=True,
        help="Every look at a customer has a reason, and the client can check it.",
        epilog="Exit codes: `holdfast help exit-codes`. Settings: `holdfast config explain`.",
        params=[
            click.Option(
                ["--home"],
                type=click.Path(file_okay=False),
                expose_value=False,
                is_eager=True,
                callback=_use_home,
                help="Folder of the house (else HOLDFAST_HOME, else ./var).",
            )
        ],
    )
    group.add_command(_help_command(group))
    return click.version_option(holdfast.__version__, message="holdfast %(version)s")(group)


def _help_command(group: LazyGroup) -> click.Command:
    @click.command("help", short_help="Explain a command, or the exit codes.")
    @click.argument("path", nargs=-1)
    @click.pass_context
    def show(ctx: click.Context, path: tuple[str, ...]) -> None:
        """Explain a command: holdfast help person add. Also: holdfast help exit-codes."""
        if path == ("exit-codes",):
            click.echo((__doc__ or "").split("\n\n", 1)[1].strip())
            return
        command: click.Command = group
        at = ctx.parent or ctx
        for name in path:
            found = command.get_command(at, name) if isinstance(command, click.Group) else None
            if found is None:
                raise click.UsageError(f"No such command {' '.join(path)!r}.")
            at = click.Context(found, info_name=name, parent=at)
            command = found
        click.echo(command.get_help(at))

    return show


def exit_code_of(error: HoldfastError) -> ExitCode:
    """Map an error that was raised on purpose to its exit code."""
    match error:
        case IntegrityBroken():
            return ExitCode.INTEGRITY
        case Denied() | NotAuthenticated():
            return ExitCode.DENIED
        case Unavailable():
            return ExitCode.UNAVAILABLE
        case _:
            return ExitCode.REFUSED if error.status < 500 else ExitCode.INTERNAL


def _explain(error: HoldfastError) -> None:
    where = f" ({error.field})" if isinstance(error, InvalidInput) and error.field else ""
    say(f"holdfast: {error.message}{where}", colour="red")
    reasons: tuple[RuleReason, ...] = getattr(error, "reasons", ())
    for reason in reasons:
        value = f" ({reason.value})" if reason.value else ""
        say(f"  {reason.rule}: {reason.label}{value}")
        say(f"    {reason.remedy_text}")
    if error.remedy and not reasons:
        say(f"  {error.remedy}")


def run(
    arguments: Sequence[str] | None = None, declared: Mapping[str, Command] | None = None
) -> int:
    """Run one command and return its exit code; nothing but the message reaches the terminal."""
    try:
        done = root(declared).main(
            args=list(arguments) if arguments is not None else None,
            prog_name="holdfast",
            standalone_mode=False,
        )
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  a traceback could hold a value
        return _after(error)
    return done if isinstance(done, int) else ExitCode.OK


def _after(error: BaseException) -> int:
    code: int
    match error:
        case click.Abort() | KeyboardInterrupt():
            say("Stopped.")
            code = _STOPPED
        case click.ClickException():
            error.show()
            code = ExitCode.REFUSED
        case HoldfastError():
            _explain(error)
            code = exit_code_of(error)
        case _ if cause := _lacking(error):
            _explain(cause)
            code = exit_code_of(cause)
        case _:
            from holdfast.kit.log import place_of

            say(
                f"holdfast: internal error: {type(error).__name__} at {place_of(error)}",
                colour="red",
            )
            say("  HOLDFAST_DEBUG=true shows the traceback, which may hold a customer's value.")
            code = ExitCode.INTERNAL
    if os.environ.get("HOLDFAST_DEBUG", "").lower() in {"1", "true", "yes"}:
        traceback.print_exception(error)
    return code


def _lacking(error: BaseException) -> HoldfastError | None:
    """Say what the house's stores lack, where that explains an error that nobody expected."""
    from holdfast.edges.checks.stores import lacking
    from holdfast.kit.config import load_settings

    try:
        return lacking(load_settings(), error)
    except HoldfastError as other:
        return other


def main() -> NoReturn:
    """Entry point of the ``holdfast`` script."""
    sys.exit(run())
