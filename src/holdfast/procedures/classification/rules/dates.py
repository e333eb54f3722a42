"""In which form a column writes its dates, and whether day and month can be told apart at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from holdfast.spine.vault.normalise import MONTHS

if TYPE_CHECKING:
    from collections.abc import Sequence

_NUMERIC: Final = re.compile(r"(\d{1,2})([/.\- ])(\d{1,2})\2(\d{4})")
_YEAR_FIRST: Final = re.compile(r"(\d{4})([/.\- ]?)(\d{1,2})\2(\d{1,2})")
_WORD_SECOND: Final = re.compile(r"(\d{1,2})([/.\- ])([A-Za-z]{3,9})\2(\d{4})")
_WORD_FIRST: Final = re.compile(r"([A-Za-z]{3,9}) (\d{1,2}), ?(\d{4})")
_SHORT_YEAR: Final = re.compile(r"\d{1,2}([/.\-])\d{1,2}\1\d{2}")
_WITH_TIME: Final = re.compile(
    r"(.{6,12}?)[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp]\.?[Mm]\.?)?(Z|[+-]\d{2}:?\d{2})?"
)
_MONTH_FIRST: Final = frozenset({"US", "PH"})  # where 02/03 is commonly the third of February
_ENOUGH: Final = 0.9


@dataclass(frozen=True, slots=True)
class DateForm:
    """How a column writes dates.

    ``format`` is for ``date_format`` (``""``: ISO 8601); ``share`` of the values that are dates in it; ``doubt``
    says what a person must confirm, or why the column cannot be read as dates (then ``readable`` is false).
    """

    format: str
    share: float
    readable: bool = True
    doubt: str = ""


def date_form(values: Sequence[str], region: str = "") -> DateForm | None:
    """Return the form of most ``values``; ``None`` when they are no dates. ``region`` breaks a tie of day and month."""
    if not values:
        return None
    for guess in (_year_first(values), _worded(values), _day_and_month(values, region)):
        if guess is not None:
            return guess
    if _share(values, _SHORT_YEAR) >= _ENOUGH:
        return DateForm(
            "", 1.0, readable=False, doubt="the years have two digits, so the century is a guess"
        )
    if _share(values, _WITH_TIME) >= _ENOUGH and _begins_with_date(values, region):
        return DateForm("", 1.0, readable=False, doubt="a time stands beside the date")
    return None


def _share(values: Sequence[str], pattern: re.Pattern[str]) -> float:
    return sum(1 for value in values if pattern.fullmatch(value)) / len(values)


def _begins_with_date(values: Sequence[str], region: str) -> bool:
    days = [found[1] for value in values if (found := _WITH_TIME.fullmatch(value))]
    return date_form(days, region) is not None


def _is_day(year: str, month: int, day: str) -> bool:
    try:
        return 1800 <= date(int(year), month, int(day)).year <= 2200
    except ValueError:
        return False


def _year_first(values: Sequence[str]) -> DateForm | None:
    forms: dict[str, int] = {}
    for value in values:
        found = _YEAR_FIRST.fullmatch(value)
        if found and _is_day(found[1], int(found[3]), found[4]):
            whole = len(found[3]) == 2 and len(found[4]) == 2
            if not found[2] and not whole:
                continue
            form = "" if found[2] in {"-", ""} and whole else f"%Y{found[2]}%m{found[2]}%d"
            forms[form] = forms.get(form, 0) + 1
    return _best(forms, len(values))


def _worded(values: Sequence[str]) -> DateForm | None:
    forms: dict[str, int] = {}
    for value in values:
        if found := _WORD_SECOND.fullmatch(value):
            day, word, year, form = found[1], found[3], found[4], f"%d{found[2]}{{}}{found[2]}%Y"
        elif found := _WORD_FIRST.fullmatch(value):
            word, day, year = found[1], found[2], found[3]
            form = f"{{}} %d,{' ' if ', ' in value else ''}%Y"
        else:
            continue
        if word[:3].lower() in MONTHS and _is_day(year, MONTHS.index(word[:3].lower()) + 1, day):
            written = form.format("%b" if len(word) <= 4 else "%B")
            forms[written] = forms.get(written, 0) + 1
    # "May" is long and short at once, so the long form takes the short one's count.
    for form in [form for form in forms if "%B" in form]:
        forms[form] += forms.pop(form.replace("%B", "%b"), 0)
    return _best(forms, len(values))


def _best(forms: dict[str, int], total: int) -> DateForm | None:
    if not forms or sum(forms.values()) / total < _ENOUGH:
        return None
    form = max(forms, key=lambda one: forms[one])
    share = forms[form] / total
    return DateForm(
        form, share, doubt="" if share >= _ENOUGH else "dates are written in several forms"
    )


def _day_and_month(values: Sequence[str], region: str) -> DateForm | None:
    found = [match for value in values if (match := _NUMERIC.fullmatch(value))]
    if len(found) / len(values) < _ENOUGH:
        return None
    day_first = sum(
        1
        for m in found
        if int(m[1]) > 12 and _is_day(m[4], int(m[3]) if int(m[3]) < 13 else 0, m[1])
    )
    month_first = sum(
        1
        for m in found
        if int(m[3]) > 12 and _is_day(m[4], int(m[1]) if int(m[1]) < 13 else 0, m[3])
    )
    separators = [m[2] for m in found]
    mark = max(set(separators), key=separators.count)
    by_region = region in _MONTH_FIRST
    mdy = month_first > day_first if month_first != day_first else by_region
    form = f"%m{mark}%d{mark}%Y" if mdy else f"%d{mark}%m{mark}%Y"
    wrong = min(day_first, month_first)
    share = (len(found) - wrong) / len(values)
    if wrong:
        return DateForm(form, share, doubt="some values have the day first and some the month")
    if not day_first and not month_first:
        told = f"as in {region}" if region else "as in most of the world"
        first = "month" if mdy else "day"
        return DateForm(
            form,
            share,
            doubt=f"no value tells day from month; read with the {first} first, {told}: confirm it",
        )
    return DateForm(form, share)
