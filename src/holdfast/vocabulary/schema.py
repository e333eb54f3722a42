"""What a collection is: its fields with type, class, handling, index and mask."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from holdfast.vocabulary.levels import DataClass, Handling


class FieldType(StrEnum):
    """How a value is read, normalised and compared."""

    TEXT = "text"
    NAME = "name"
    PHONE = "phone"
    EMAIL = "email"
    DATE = "date"
    DATE_OF_BIRTH = "date_of_birth"
    NATIONAL_ID = "national_id"
    CARD = "card"
    ACCOUNT = "account"
    ADDRESS = "address"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"


class Index(StrEnum):
    """What a blind index on the field may serve."""

    NONE = "none"
    SEARCH = "search"  # exact search by an agent, and binding
    BIND = "bind"  # binding of a contact at intake only


class Mask(StrEnum):
    """Masks give output of a length that does not depend on the value."""

    FULL = "full"
    CARD = "card"
    NATIONAL_ID = "national_id"
    PHONE = "phone"
    EMAIL = "email"
    NAME = "name"
    DATE_OF_BIRTH = "date_of_birth"
    ADDRESS = "address"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a collection. ``number`` is its stable position, used in sealed rows instead of the name."""

    name: str
    number: int
    type: FieldType
    data_class: DataClass
    handling: Handling
    index: Index = Index.NONE
    index_bits: int = 128
    mask: Mask = Mask.FULL
    label: str = ""
    owner: str = ""
    required: bool = False
    region: str = ""  # default region of phone numbers, ISO 3166 alpha-2
    date_format: str = ""  # strptime format when the file is not ISO 8601
    change: str = ""  # "act:<name>": not changed by update (SPINE 16)
    columns: tuple[
        str, ...
    ] = ()  # headers under which files carry it, beside its name; "#3" is the third column


@dataclass(frozen=True)
class CollectionSchema:
    """A collection's compiled ``schema.toml``. ``digest`` is the SHA-256 of its canonical form, hexadecimal."""

    name: str
    version: int
    owner: str
    customer_ref: str  # field with the client's customer number
    record_key: str  # field that tells one record of the file from another
    fields: tuple[FieldSpec, ...]
    digest: str = ""
    ignore: tuple[str, ...] = ()  # headers of columns that are knowingly left out

    @cached_property
    def by_name(self) -> dict[str, FieldSpec]:
        """Fields by name."""
        return {field.name: field for field in self.fields}

    @cached_property
    def by_number(self) -> dict[int, FieldSpec]:
        """Fields by number."""
        return {field.number: field for field in self.fields}

    @cached_property
    def classes(self) -> tuple[DataClass, ...]:
        """Classes that occur, lowest first."""
        return tuple(sorted({field.data_class for field in self.fields}))
