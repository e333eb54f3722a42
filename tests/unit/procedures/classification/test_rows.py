"""Rows come out as they were written, with the lines where they begin; what cannot be read is named, not shown."""

from __future__ import annotations

import csv
import io
import json
import os
import tracemalloc

import pytest

from holdfast.kit.errors import InvalidInput, NotFound
from holdfast.procedures.classification.services.reading import inspect
from holdfast.procedures.classification.services.rows import open_rows


def read(tmp_path, content, *, size=4, **options):
    path = tmp_path / "file"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    source = inspect(path, **options)
    cells, lines, bad = [], [], []
    with open_rows(source, size=size) as rows:
        for batch in rows:
            cells += batch.cells
            lines += batch.lines
            bad += batch.bad
    return source, cells, lines, bad


def cells(tmp_path, content, **options):
    return read(tmp_path, content, **options)[1]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_separator_is_recognised(tmp_path, delimiter):
    text = f"id{delimiter}name\r\n1{delimiter}Ana, Maria; or | so\r\n".replace(
        "Ana, Maria; or | so", '"Ana, Maria; or | so"'
    )
    source, rows, lines, bad = read(tmp_path, text)
    assert source.dialect.delimiter == delimiter
    assert rows == [["1", "Ana, Maria; or | so"]]
    assert (lines, bad) == ([2], [])


def test_excel_s_first_line_names_the_separator(tmp_path):
    source, rows, lines, _ = read(tmp_path, "sep=;\nid;a,b\n1;2,3\n")
    assert source.header == ("id", "a,b")
    assert rows == [["1", "2,3"]]
    assert lines == [3]


@pytest.mark.parametrize(
    "title", ["Report of 2026\n", "Report of 2026\n\n", '"Clients, all"\n', "Report,,\n,,\n"]
)
def test_titles_above_the_header_are_passed_over_and_lines_stay_right(tmp_path, title):
    source, rows, lines, bad = read(tmp_path, f"{title}id,name,city\n1,Ana,Cebu\n2,Luz,Davao\n")
    assert source.header == ("id", "name", "city")
    assert rows == [["1", "Ana", "Cebu"], ["2", "Luz", "Davao"]]
    assert lines[0] == title.count("\n") + 2
    assert not bad


@pytest.mark.parametrize(
    ("text", "header"),
    [
        (",name\n0,Ana\n1,Luz\n", ("", "name")),
        ("id\n1\n2\n", ("id",)),
        (",,city\n1,2,3\n", ("", "", "city")),
        ("id,\n1,x\n", ("id", "")),
    ],
)
def test_a_header_that_is_almost_blank_is_no_title(tmp_path, text, header):
    assert read(tmp_path, text)[0].header == header


def test_line_breaks_within_quotes_belong_to_the_value_and_lines_stay_right(tmp_path):
    text = 'id,address\n1,"a\nb\nc"\n2,plain\n3,"d\n\ne"\n4,x\n'
    for size in (1, 2, 3, 100):
        _, rows, lines, bad = read(tmp_path, text, size=size)
        assert rows == [["1", "a\nb\nc"], ["2", "plain"], ["3", "d\n\ne"], ["4", "x"]]
        assert lines == [2, 5, 6, 9]
        assert not bad


def test_backslash_quotes_are_read_where_a_file_has_them(tmp_path):
    text = "id,note\n" + '1,"says \\"hi, there\\""\n' * 5
    assert cells(tmp_path, text)[0] == ["1", 'says "hi, there"']


def test_cells_that_excel_has_marked_as_text_are_unwrapped(tmp_path):
    rows = cells(tmp_path, 'id,a\n="0012",=1+1\n"=""0013""",x\n')
    assert rows == [["0012", "=1+1"], ["0013", "x"]]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do(tmp_path, end):
    _, rows, lines, _ = read(tmp_path, end.join(["id,a", "1,x", "2,y", ""]))
    assert rows == [["1", "x"], ["2", "y"]]
    assert lines == [2, 3]


def test_blank_rows_are_passed_over_and_do_not_shift_lines(tmp_path):
    _, rows, lines, bad = read(tmp_path, "id,a\n\n1,x\n,\n\n2,y\n\n")
    assert rows == [["1", "x"], ["2", "y"]]
    assert lines == [3, 6]
    assert not bad


def test_separators_at_the_end_of_a_line_are_forgiven(tmp_path):
    assert cells(tmp_path, "id,a\n1,x,,\n2,y\n") == [["1", "x"], ["2", "y"]]


def test_a_short_or_long_row_is_bad_and_says_both_widths(tmp_path):
    _, rows, _, bad = read(tmp_path, "id,a,b\n1,x,y\n2,x\n3,x,y,z\n4,x,y\n")
    assert len(rows) == 2
    assert [(one.line, one.reason) for one in bad] == [
        (3, "has 2 columns where the header has 3"),
        (4, "has 4 columns where the header has 3"),
    ]


def test_an_uneven_row_over_several_lines_is_one_bad_row(tmp_path):
    _, rows, _, bad = read(tmp_path, 'id,a,b\n1,x,y\n2,"x\nx"\n3,x,y\n', size=100)
    assert [row[0] for row in rows] == ["1", "3"]
    assert [one.line for one in bad] == [3]


def test_a_stray_quote_costs_its_own_row_only(tmp_path):
    text = "id,a,b\n" + "".join(f"{n},x,y\n" for n in range(1, 40))
    text = text.replace("\n7,x", '\n7,"x').replace("\n20,x,y", '\n20,x,"y')
    for size in (5, 1000):
        _, rows, _, bad = read(tmp_path, text, size=size)
        assert len(rows) == 37
        assert [(one.line, one.reason) for one in bad] == [
            (8, "a quote is opened and not closed in this row"),
            (21, "a quote is opened and not closed in this row"),
        ]


def test_a_file_that_ends_within_quotes_has_lost_its_last_row(tmp_path):
    _, rows, _, bad = read(tmp_path, 'id,a\n1,x\n2,"cut he')
    assert rows == [["1", "x"]]
    assert [one.line for one in bad] == [3]


def test_a_row_over_the_limit_is_bad_and_the_limit_is_said(tmp_path):
    text = f"id,a\n1,{'x' * 1_100_000}\n2,y\n"
    _, rows, _, bad = read(tmp_path, text)
    assert rows == [["2", "y"]]
    assert bad[0].reason == "longer than 1,048,576 characters"


def test_a_file_without_header_has_its_places_only(tmp_path):
    source, rows, lines, _ = read(tmp_path, "1,Ana\n2,Luz\n", headerless=True)
    assert source.header == ("", "")
    assert rows == [["1", "Ana"], ["2", "Luz"]]
    assert lines == [1, 2]


def test_objects_come_out_as_text_numbers_as_they_are_written(tmp_path):
    lines = [
        '{"id": 12345678901234567890, "sum": 0.10, "ok": true, "gone": null, "s": "x"}',
        "",
        '{"id": "2"}',
    ]
    source, rows, numbers, _ = read(tmp_path, "\n".join(lines))
    assert source.dialect.name == "NDJSON"
    assert rows[0] == {
        "id": "12345678901234567890",
        "sum": "0.10",
        "ok": "true",
        "gone": "",
        "s": "x",
    }
    assert numbers == [1, 3]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"a": 1', "is not valid JSON"),
        ('{"a": NaN}', "is not valid JSON"),
        ("[1]", "is not a JSON object"),
        ('{"a": 1, "a": 2}', "has the same key twice"),
        ('{"a": {"b": 1}}', "holds a list or an object where a plain value belongs"),
        ('{"a": ' + "[" * 100_000 + "}", "is not valid JSON"),
    ],
)
def test_a_bad_object_is_named_by_its_line(tmp_path, line, reason):
    _, rows, _, bad = read(tmp_path, '{"a": 1}\n' + line + "\n")
    assert len(rows) == 1
    assert bad == [(2, reason, "")]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "empty"),
        (b"\n\n  \n", "empty"),
        (b'[{"a": 1}]', "one JSON list"),
        (b'{\n  "a": 1\n}', "first line is not a whole object"),
        (b"<?xml version='1.0'?><a/>", "XML or HTML"),
        (b'id,"na\nme', "opens a quote"),
        (b"a," * 600 + b"\n", "601 columns"),
        (b",,,\n,,\n", "empty"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, content, what):
    with pytest.raises(InvalidInput, match=what):
        read(tmp_path, content)


def test_a_folder_a_pipe_and_nothing_are_refused(tmp_path):
    with pytest.raises(InvalidInput, match="is a folder"):
        inspect(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidInput, match="no regular file"):
        inspect(tmp_path / "pipe")
    with pytest.raises(NotFound, match="no file"):
        inspect(tmp_path / "nothing")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path):
    path = tmp_path / "file"
    path.write_text("a\n")
    path.chmod(0)
    with pytest.raises(InvalidInput, match="may not be read"):
        inspect(path)


def test_memory_does_not_grow_with_the_file(tmp_path):
    path = tmp_path / "big.csv"
    row = "123456,Somebody,+12025550123,somebody@example.com,1990-02-03\r\n"
    with path.open("w", newline="") as file:
        file.write("id,name,phone,email,dob\r\n")
        file.writelines(row * 10_000 for _ in range(20))

    def peak():
        tracemalloc.start()
        source = inspect(path)
        with open_rows(source) as rows:
            count = sum(batch.read for batch in rows)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return count, most

    count, most = peak()
    assert count == 200_000
    assert most < 16 * 2**20, "a file of 12 MB is read within a few"


def test_rows_agree_with_a_plain_reader_on_a_well_written_file(tmp_path):
    rows = [[str(n), f'a "{n}"', "x\ny" if n % 3 == 0 else "", "é,;|"] for n in range(50)]
    text = io.StringIO()
    csv.writer(text).writerows([["id", "q", "n", "s"], *rows])
    assert cells(tmp_path, text.getvalue(), size=7) == rows
    assert json.dumps(rows)
