"""The customers of a bank that does not exist, and the file in which it delivers them.

Everything is generated from a seed and comes from ranges that are reserved for examples: phone numbers 555-01xx, mail
domains of RFC 2606, Social Security numbers that begin with 9, card numbers of test prefixes. The file is as ugly as
real ones: semicolons, Windows-1252, phone numbers written in three ways, line breaks within quotes, cells that Excel
has marked as text, a column without a name, a security code that should never have been sent, and a card number in the
notes. It is a delivery for the schema in ``bank/schema.toml``.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, TypeVar

from holdfast.kit.files import write_durably

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

T = TypeVar("T")

SEED: Final = 1
HEADER: Final = (
    "Customer No.", "Name", "Phone", "E-mail", "Address", "Postcode", "Acct", "Card", "CVV", "Balance", "DOB",
    "National ID", "Segment", "Notes", "",
)  # fmt: skip

_GIVEN: Final = (
    "José", "María", "Ana", "Ramón", "Lourdes", "Andrés", "Corazón", "Niña", "Peter", "Grace", "Joy",
    "Mark", "Rosa", "Luz", "Ángel", "Cristina", "Paulo", "Inés", "Begoña", "Tomás", "Rahul", "Priya",
    "Anita", "Sanjay", "Ming", "Noor", "Chloé",
)  # fmt: skip
_FAMILY: Final = (
    "Santos", "Reyes", "Cruz", "Bautista", "Ocampo", "Garcia", "Muñoz", "Peña", "Ibáñez", "Villanueva",
    "Del Rosario", "Castro", "Aquino", "Navarro", "Torres", "Gómez", "Sharma", "Patel", "Iyer", "Tan",
    "Lim", "O'Neil", "de la Cruz", "Núñez", "Salazar",
)  # fmt: skip
_STREETS: Final = (
    "Mabini St",
    "Rizal Ave",
    "Calle Mayor",
    "Main St",
    "Oak Ave",
    "Sampaguita St",
    "Bonifacio Dr",
    "Elm St",
)
_CITIES: Final = (
    "Quezon City",
    "Makati",
    "Cebu",
    "Austin",
    "El Paso",
    "Fresno",
    "Málaga",
    "Parañaque",
    "Tampa",
    "Yuma",
)
_AREAS: Final = (
    201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 224, 225, 228, 229,
    231, 234, 239, 240, 248, 251, 252, 253, 254, 256, 260, 262, 267, 269, 270, 276, 281, 301, 302, 303, 304,
    305, 307, 308, 309, 310, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321, 323, 325, 330, 334, 336, 337,
    339, 347, 351, 352, 360, 361, 386, 401, 402, 404, 405, 406, 407, 408, 409, 410, 412, 413, 414, 415, 417,
    419, 423, 425, 432, 434, 435, 440, 443, 469, 478, 479, 480,
)  # fmt: skip
_CARD_PREFIXES: Final = ("424242", "400000", "555555")  # test numbers of a payment processor
_NOTES: Final = (
    "", "", "", "Prefers to be called after 6 pm", "Asked for paper statements", "VIP; handle with care",
    "Second language: español", 'Says "no" to marketing calls',
)  # fmt: skip


class Stream:
    """Numbers that look random and follow from a seed alone, the same on every machine and version."""

    def __init__(self, *seed: object) -> None:
        self._seed = repr(seed).encode()
        self._block = 0
        self._left = b""

    def below(self, limit: int) -> int:
        """Return a number from 0 to ``limit - 1`` (``limit`` well under 2^32)."""
        if len(self._left) < 8:
            self._left = blake2b(self._seed, salt=self._block.to_bytes(16, "big")).digest()
            self._block += 1
        number, self._left = int.from_bytes(self._left[:8], "big"), self._left[8:]
        return number % limit

    def choose(self, items: Sequence[T]) -> T:
        """Return one of ``items``."""
        return items[self.below(len(items))]

    def digits(self, count: int) -> str:
        """Return ``count`` decimal digits."""
        return "".join(str(self.below(10)) for _ in range(count))


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as the bank knows them, every value in its plain form."""

    number: int  # 0, 1, 2 …
    customer_no: str
    name: str
    phone: str  # E.164
    email: str
    born: date
    ssn: str
    account: str
    card: str
    security_code: str
    address: str
    postcode: str
    balance: str
    segment: str
    notes: str

    @property
    def date_of_birth(self) -> str:
        """ISO 8601."""
        return self.born.isoformat()


def customer(number: int, seed: int = SEED) -> Customer:
    """Return the customer of this number; the same for the same seed."""
    stream = Stream("customer", seed, number)
    given, family = stream.choose(_GIVEN), stream.choose(_FAMILY)
    # Ten thousand phones, each once before the first comes again.
    line = (number * 37 + seed) % (len(_AREAS) * 100)
    phone = f"+1{_AREAS[line // 100]}55501{line % 100:02d}"
    domain = stream.choose(("example.com", "example.org", "example.net"))
    lines = f"{stream.below(980) + 1} {stream.choose(_STREETS)}"
    if stream.below(4) == 0:
        lines += f"\nApt {stream.below(60) + 1}"
    return Customer(
        number=number,
        customer_no=f"{10_000_000 + number:08d}" if number % 10 else f"{number // 10:08d}",
        name=f"{given} {family}",
        phone=phone,
        email=f"{_plain(given)}.{_plain(family)}{number}@{domain}",
        born=date(1940, 1, 1) + timedelta(days=stream.below(24_000)),
        ssn=f"9{stream.digits(2)}-{stream.below(99) + 1:02d}-{stream.below(9_999) + 1:04d}",
        account=f"{stream.digits(4)}-{stream.digits(4)}-{stream.digits(4)}",
        card=_card(stream),
        security_code=stream.digits(3),
        address=f"{lines}\n{stream.choose(_CITIES)}",
        postcode=f"{stream.below(9_000) + 1_000}",
        balance=f"{stream.below(90_000)}.{stream.below(100):02d}",
        segment=stream.choose(("retail", "retail", "retail", "premier", "business")),
        notes=_notes(stream, number),
    )


def customers(count: int, seed: int = SEED) -> Iterator[Customer]:
    """Yield customers 0 to ``count - 1``."""
    for number in range(count):
        yield customer(number, seed)


def _plain(name: str) -> str:
    folded = name.lower().translate(str.maketrans("áéíóúñ' ", "aeioun__"))
    return folded.replace("_", "")


def _card(stream: Stream) -> str:
    digits = stream.choose(_CARD_PREFIXES) + stream.digits(9)
    total = sum((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)[int(d)] for d in digits[::-2]) + sum(
        int(d) for d in digits[-2::-2]
    )
    return digits + str(-total % 10)


def _notes(stream: Stream, number: int) -> str:
    if number % 97 == 11:
        return f"Read out card {_card(stream)} on the phone"
    return stream.choose(_NOTES)


def as_row(one: Customer, *, excel: bool = True) -> list[str]:
    """Return a customer's cells as the bank writes them, in the order of :data:`HEADER`."""
    stream = Stream("row", one.number)
    area, line = one.phone[2:5], one.phone[5:]
    written = (one.phone, f"+1 {area}-{line[:3]}-{line[3:]}", f"+1 ({area}) {line[:3]} {line[3:]}")
    marked = excel and one.customer_no.startswith("0")
    return [
        f'="{one.customer_no}"' if marked else one.customer_no,
        one.name.upper() if stream.below(9) == 0 else one.name,
        stream.choose(written),
        one.email,
        one.address,
        one.postcode,
        one.account,
        one.card,
        one.security_code,
        one.balance,
        one.date_of_birth,
        one.ssn,
        one.segment,
        one.notes,
        "",
    ]


def spoil(cells: list[str], number: int) -> list[str]:
    """Return the row with a mistake of the kind that people make; which one depends on ``number``."""
    spoilt = list(cells)
    match number % 4:
        case 0:
            spoilt[10] = "1990-02-31"
        case 1:
            spoilt[2] = "ext. 12"
        case 2:
            spoilt[0] = ""
        case _:
            spoilt = spoilt[:-3]
    return spoilt


def table(header: Iterable[str], rows: Iterable[Iterable[str]], *, delimiter: str = ";") -> str:
    """Write rows as a spreadsheet program would: CRLF, quotes only where needed."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def write_customers(
    path: Path,
    count: int,
    *,
    seed: int = SEED,
    encoding: str = "cp1252",
    delimiter: str = ";",
    spoilt: int = 0,
) -> None:
    """Write the bank's file with ``count`` customers; the last ``spoilt`` rows after them hold a mistake each."""
    rows = [as_row(one) for one in customers(count, seed)]
    rows += [spoil(as_row(customer(count + number, seed)), number) for number in range(spoilt)]
    write_durably(path, table(HEADER, rows, delimiter=delimiter).encode(encoding), mode=0o600)
