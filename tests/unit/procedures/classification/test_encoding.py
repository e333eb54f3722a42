"""A file is read in the encoding that it is written in, to its last byte, or refused with the line that is wrong."""

from __future__ import annotations

import codecs

import pytest

from holdfast.kit.errors import InvalidInput, TooLarge
from holdfast.procedures.classification.rules import encoding
from holdfast.procedures.classification.rules.encoding import Scan

TEXT = "name;city\r\n" + "José Núñez;Ávila\r\n" * 50


def scanned(content, given="", chunk=7):
    scan = Scan(given)
    for start in range(0, len(content), chunk):
        scan.feed(content[start : start + chunk])
    return scan.finish()


@pytest.mark.parametrize("chunk", [1000, 1 << 20])
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a,b\n1,2\n", "utf-8"),
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8-sig"),
        (TEXT.encode("cp1252"), "cp1252"),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "utf-16-le"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        ("नाम,शहर\nप्रिया,दिल्ली\n".encode(), "utf-8"),
        ("x;€;“quoted”;Œuvre\n".encode("cp1252"), "cp1252"),
        ("Müller;SPAß”\n".encode("cp1252"), "cp1252"),  # the last bytes happen to be valid UTF-8
    ],
)
def test_the_encoding_is_recognised(content, expected, chunk):
    assert scanned(content, chunk=chunk).encoding == expected


def test_an_accent_in_the_very_last_row_counts():
    content = b"id,name\n" + b"1,Ana\n" * 100_000 + "2,Peña\n".encode("cp1252")
    assert scanned(content, chunk=1 << 16).encoding == "cp1252"


@pytest.mark.parametrize("chunk", [1, 3, 64, 1 << 20])
def test_a_character_across_two_reads_is_one_character(chunk):
    assert scanned("a,b\n€,ñ,𝄞\n".encode() * 20, chunk=max(chunk, 4)).encoding == "utf-8"


def test_half_utf8_and_half_windows_is_refused_with_both_lines():
    content = "name\nJosé\n".encode() + "Peña\n".encode("cp1252")
    with pytest.raises(InvalidInput, match="line 2 is UTF-8, line 3 is not"):
        scanned(content, chunk=1 << 20)


@pytest.mark.parametrize(
    ("content", "given"),
    [
        ("name\nPeña\n".encode("cp1252"), "utf-8"),
        ("name\nPe".encode("utf-16-le") + b"\x00\xd8a\x00", "utf-16-le"),
        (b"name\n\x81\n", "cp1252"),
    ],
)
def test_a_file_that_is_not_what_it_is_said_to_be_is_refused(content, given):
    with pytest.raises(InvalidInput, match="line 2 is not written in"):
        scanned(content, given, chunk=1 << 20)


def test_bytes_that_are_no_text_in_either_are_refused_with_the_line():
    with pytest.raises(InvalidInput, match="line 2 is neither UTF-8 nor Windows-1252"):
        scanned(b"name\n\x81\x8d\n", chunk=1 << 20)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04" + b"\0" * 50, "Excel workbook"),
        (b"\x1f\x8b\x08\0\0\0", "gzip"),
        (b"%PDF-1.7\n", "PDF"),
        (b"SQLite format 3\x00", "SQLite"),
        (b"\x7fELF" + bytes(range(256)) * 8, "binary"),
        (codecs.BOM_UTF32_LE + "a,b".encode("utf-32-le"), "UTF-32"),
    ],
)
def test_what_is_no_table_of_text_is_refused_by_name(content, what):
    with pytest.raises(InvalidInput, match=what):
        scanned(content, chunk=1 << 20)


def test_an_empty_file_is_refused():
    with pytest.raises(InvalidInput, match="empty"):
        scanned(b"")


def test_a_line_without_end_is_refused_before_it_fills_the_memory():
    with pytest.raises(TooLarge, match="line 2 is longer than 8 MiB"):
        scanned(b"a,b\n" + b"x" * (9 << 20), chunk=1 << 20)


def test_lines_and_excel_s_text_cells_are_counted_on_the_way():
    found = scanned(b'id\n="0012"\n="0013"\n', chunk=1 << 20)
    assert (found.lines, found.excel_text, found.bytes) == (3, True, 19)


def test_a_mark_that_contradicts_what_the_user_says_is_refused():
    with pytest.raises(InvalidInput, match="begins with the mark"):
        scanned(TEXT.encode("utf-8-sig"), "cp1252", chunk=1 << 20)


def test_every_encoding_that_can_be_named_can_be_read():
    for name in encoding.ENCODINGS:
        assert scanned(TEXT.encode(name), name, chunk=1 << 20).encoding == name
