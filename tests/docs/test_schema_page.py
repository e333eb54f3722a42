"""docs/reference/schema.md says what the compiler does: its example, its tables and what it says is refused."""

from __future__ import annotations

import re

import pytest

from architecture.source import ROOT
from holdfast.kit.errors import InvalidInput
from holdfast.spine.vault.masks import card_mask, mask
from holdfast.spine.vault.schema import FIELD_KEYS, TOP_KEYS, compile_schema
from holdfast.spine.vault.schema_rules import MASK_OF_TYPE
from holdfast.vocabulary.levels import DataClass, Handling
from holdfast.vocabulary.schema import FieldType, Mask

PAGE = (ROOT / "docs" / "reference" / "schema.md").read_text()
(EXAMPLE,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
REFUSED = re.findall(r"^\| `fields\.(\w+) = (\{.*\})` \|", PAGE, re.MULTILINE)
KEPT = {
    Mask.NAME: "Robin Example",
    Mask.PHONE: "+12025550101",
    Mask.EMAIL: "robin@example.com",
    Mask.ADDRESS: "12 Main St, Springfield",
    Mask.ACCOUNT: "9000-1001",
    Mask.NATIONAL_ID: "900-12-3456",
    Mask.DATE_OF_BIRTH: "1990-02-03",
    Mask.FULL: "anything",
}


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def first_column(title: str) -> set[str]:
    cells = re.findall(r"^\| ((?:`\w+` ?)+)\|", section(title), re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


@pytest.mark.parametrize(
    ("title", "known"),
    [
        ("Keys of the collection", TOP_KEYS),
        ("Keys of a field", FIELD_KEYS),
        ("Classes", DataClass.__members__),
        ("Handling", Handling),
        ("Types", FieldType),
        ("Masks", Mask),
    ],
)
def test_a_table_names_all_that_there_is_and_no_more(title, known):
    assert first_column(title) == set(known)


@pytest.mark.parametrize("kind", sorted(Mask))
def test_a_mask_shows_what_the_table_says(kind):
    told = re.search(
        rf"^\| `{kind}` \| ([^|]+) \| [^|]+ \| `(.+)` \|", section("Masks"), re.MULTILINE
    )
    shown = card_mask("400000", "1000") if kind is Mask.CARD else mask(kind, KEPT[kind])
    assert told[2] == shown
    defaults = {name.value for name, default in MASK_OF_TYPE.items() if default is kind}
    assert defaults <= set(told[1].split(", "))


@pytest.mark.parametrize(("name", "table"), REFUSED, ids=[name for name, _ in REFUSED])
def test_what_the_page_says_is_refused_is_refused_for_that_field(name, table):
    declared = re.sub(rf"\[fields\.{name}\]\n.*?(?=\n\[|\Z)", "", EXAMPLE, flags=re.DOTALL)
    with pytest.raises(InvalidInput) as refused:
        compile_schema(f"{declared}\n[fields]\n{name} = {table}\n", name="policies")
    assert refused.value.field.startswith(f"fields.{name}")
    assert refused.value.remedy


def test_there_are_refusals_to_show():
    assert len(REFUSED) >= 8
