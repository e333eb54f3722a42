"""``holdfast feed push``: sign events as a feed would, and send them."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import urlsplit

import click

from holdfast.edges.cli.context import open_house_from
from holdfast.kit.clock import SECOND_US, SystemClock, rfc3339
from holdfast.kit.config import is_loopback, load_settings
from holdfast.kit.errors import InvalidInput, NotAuthenticated, NotFound, Unavailable
from holdfast.kit.ids import new_id
from holdfast.kit.secret import Secret
from holdfast.kit.terminal import ExitCode, emit, json_option, progress, say
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.ids import FEED_EVENT, client_log
from holdfast.vocabulary.leaves import LeafType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.kit.db import Work
    from holdfast.spine.house import House
    from holdfast.spine.signals.envelope import FeedKey
    from holdfast.spine.signals.intake import Report

    Send = Callable[[bytes], Report]

LINES_PER_BATCH: Final = 200
BYTES_PER_BATCH: Final = 512 * 1024
TIMEOUT_S: Final = 30


@click.command()
@click.argument("name")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--key-file",
    type=click.File("r"),
    help="File with what `holdfast feed key --json` printed, or KID:SECRET.",
)
@click.option("--url", default="", help="Data plane (default: the one of this house).")
@click.option("--direct", is_flag=True, help="Take the events in here; no server is needed.")
@click.option(
    "--now", is_flag=True, help="Give each event the present time and a new id, for trials."
)
@json_option
@click.pass_context
def push(
    ctx: click.Context,
    *,
    name: str,
    file: BinaryIO,
    key_file: Any,
    url: str,
    direct: bool,
    now: bool,
    as_json: bool,
) -> None:
    """Sign the events of FILE (NDJSON; - is standard input) and send them to the data plane.

    Signs with --key-file, else with HOLDFAST_FEED_KEY or HOLDFAST_FEED_KEY_FILE, else with the house's own copy of the
    feed's newest key, which an administrator may use. An event opens nothing when it is older than two minutes. Exits 3
    when some lines were refused, 2 when all were.

    \b
    Examples:
      holdfast feed push tel-acd events.jsonl
      holdfast feed push tel-acd events.jsonl --now --direct
      HOLDFAST_FEED_KEY_FILE=tel-acd.key holdfast feed push tel-acd - --url https://data.bpo.example
    """
    from holdfast.spine.signals.intake import Report

    signing = _key(ctx, name, key_file.read() if key_file else "")
    send = _direct(ctx, name, signing) if direct else _post(url or _data_plane(), name, signing)
    report = Report()
    with progress("Sending", unit="lines") as bar:
        for before, lines in _batches(file):
            sent = send(b"\n".join(_stamped(lines) if now else lines))
            report += _moved(sent, before)
            bar.advance(len(lines))
    _tell(ctx, report, as_json=as_json)


def _key(ctx: click.Context, name: str, text: str) -> FeedKey:
    given = load_settings().feed_key
    text = text or (given.reveal() if given else "")
    return read_key(text) if text else _own_key(ctx, name)


def read_key(text: str) -> FeedKey:
    """Read a key: what ``holdfast feed key --json`` printed, ``KID:SECRET``, or the secret alone."""
    from holdfast.spine.signals.envelope import FeedKey

    try:
        found = json.loads(text)
        kid, secret = str(found["kid"]), str(found["secret"])
    except (ValueError, KeyError, TypeError):
        kid, _, secret = text.strip().rpartition(":")
    if not secret or any(c.isspace() for c in kid + secret):
        raise InvalidInput(
            "this is no feed key",
            field="key",
            remedy="Use the output of `holdfast feed key --json`.",
        )
    return FeedKey(kid or "key", Secret(secret.encode()))


def _own_key(ctx: click.Context, name: str) -> FeedKey:
    house = open_house_from(ctx)
    return house.transact(own_key(house, name))


def own_key(house: House, name: str) -> Work[FeedKey]:
    """Hand the feed's newest key to somebody who might have made it, and say so in the client's log.

    What is signed with it opens contacts, so the client reads who took it before the first of them.
    """
    from holdfast.spine.administration.scene import enter, tell_in
    from holdfast.spine.signals.registry import client_of, load_feed

    entered = yield from enter(house, Act.FEED_PUSH)
    client = yield from client_of(name)
    scene = yield from entered.judge(clients=(client,))
    _, keys = yield from load_feed(house.root, name)
    if not keys:
        raise NotFound(f"{name} has no key", remedy=f"Make one: holdfast feed key {name}")
    log = client_log(client)
    yield from tell_in(scene, LeafType.FEED_PUSHED, (log,), feed=name, kid=keys[0].kid)
    return keys[0]


def _direct(ctx: click.Context, name: str, signing: FeedKey) -> Send:
    from holdfast.edges.feeds.catalogue import ADAPTORS
    from holdfast.spine.signals.envelope import sign
    from holdfast.spine.signals.intake import receive

    house = open_house_from(ctx)

    def send(body: bytes) -> Report:
        header = sign(signing, name, house.clock.now_us() // SECOND_US, body)
        return receive(house, name, header, body, adaptors=ADAPTORS)

    return send


def _data_plane() -> str:
    settings = load_settings()
    host = settings.data_plane_host
    if settings.encrypted:  # by the name that the certificate is made out to
        return f"https://{urlsplit(settings.origin).hostname}:{settings.data_plane_port}"
    if is_loopback(host) or host in {"0.0.0.0", "::"}:  # noqa: S104  compared, not bound
        host = "localhost"
    return f"http://{host}:{settings.data_plane_port}"


def _post(url: str, name: str, signing: FeedKey) -> Send:
    from holdfast.spine.signals.envelope import HEADER, sign

    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InvalidInput("an address such as http://localhost:8461", field="--url")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    path = f"{parts.path.rstrip('/')}/v1/feeds/{name}"
    clock = SystemClock()

    def send(body: bytes) -> Report:
        headers = {
            HEADER: sign(signing, name, clock.now_us() // SECOND_US, body),
            "Content-Type": "application/x-ndjson",
        }
        connection = kind(str(parts.hostname), parts.port, timeout=TIMEOUT_S)
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            return _report_of(answer.status, answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(
                f"no data plane answers at {url}: {type(error).__name__}",
                remedy="Start it with `holdfast serve`, or take the events in here with --direct.",
            ) from error
        finally:
            connection.close()

    return send


def _report_of(status: int, body: bytes) -> Report:
    import msgspec

    from holdfast.kit.http.problem import Problem
    from holdfast.spine.signals.intake import Report

    try:
        if status in {200, 422}:
            return msgspec.json.decode(body, type=Report)
        problem = msgspec.json.decode(body, type=Problem)
    except msgspec.DecodeError:
        raise Unavailable(f"this is no data plane (it answered {status})") from None
    message = problem.detail or problem.title
    if status == 401:
        raise NotAuthenticated(message, remedy=problem.remedy)
    if status < 500:
        raise InvalidInput(message, field=problem.field, remedy=problem.remedy)
    raise Unavailable(message, remedy=problem.remedy)


def _batches(file: BinaryIO) -> Iterator[tuple[int, list[bytes]]]:
    """Cut the file into batches of whole lines, each with the number of lines before it."""
    before, lines, size = 0, list[bytes](), 0
    for line in file:
        if lines and (len(lines) == LINES_PER_BATCH or size + len(line) > BYTES_PER_BATCH):
            if any(lines):
                yield before, lines
            before, lines, size = before + len(lines), [], 0
        lines.append(line.strip(b" \t\r\n"))
        size += len(line)
    if any(lines):
        yield before, lines


def _stamped(lines: list[bytes]) -> list[bytes]:
    """Give each event the present time, in the order of the lines, and a new id."""
    now_us = SystemClock().now_us()
    return [_with_time(line, now_us + position) for position, line in enumerate(lines)]


def _with_time(line: bytes, at_us: int) -> bytes:
    try:
        event = json.loads(line)
    except ValueError:
        return line
    if not isinstance(event, dict):
        return line
    event |= {"id": new_id(FEED_EVENT, at_us), "occurred_at": rfc3339(at_us)}
    return json.dumps(event, ensure_ascii=False).encode()


def _moved(report: Report, before: int) -> Report:
    """Number the lines as they stand in the file."""
    import msgspec

    moved = tuple(msgspec.structs.replace(r, line=r.line + before) for r in report.rejected)
    return msgspec.structs.replace(report, rejected=moved)


def _tell(ctx: click.Context, report: Report, *, as_json: bool) -> None:
    rejected = [
        {"line": r.line, "reason": r.reason.value, "field": r.field} for r in report.rejected
    ]
    counts = {"accepted": report.accepted, "duplicate": report.duplicate}
    if as_json:
        emit({**counts, "rejected": rejected}, as_json=True)
    else:
        emit({**counts, "rejected": len(rejected)}, as_json=False)
        for refused in rejected:
            say("line {line}: {reason} {field}".format(**refused).rstrip())
    if rejected:
        done = report.accepted or report.duplicate
        ctx.exit(ExitCode.PARTIAL if done else ExitCode.REFUSED)
