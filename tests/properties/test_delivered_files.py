"""Whatever a spreadsheet writes, in any encoding and with any separator, comes out as it went in."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.procedures.classification.services.reading import inspect
from holdfast.procedures.classification.services.rows import open_rows

# Windows-1252's repertoire, so that each table can be written in every encoding.
LETTERS = st.sampled_from(" abcXYZ0129éñÁü€“”ç',;|\t\"\n=-@")
CELLS = st.text(LETTERS, max_size=12)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])


@st.composite
def tables(draw):
    width = draw(st.integers(2, 5))
    rows = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=12))
    return [row for row in rows if any(row)]


@example([["", "", "\t", "\n\t"], ["", "", "\n\t", "\n\t"]], "utf-8", ",", 1)
@given(tables(), ENCODINGS, st.sampled_from(",;\t|"), st.integers(1, 7))
def test_a_table_comes_out_as_it_went_in(rows, encoding, delimiter, size):
    if not rows:
        return
    header = [f"column{n}" for n in range(len(rows[0]))]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([header, *rows])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        path.write_bytes(text.getvalue().encode(encoding))
        source = inspect(path)
        with open_rows(source, size=size) as batches:
            found = [row for batch in batches for row in batch.cells]
    assert source.header == tuple(header)
    assert found == rows


@given(st.binary(max_size=400))
def test_no_bytes_at_all_make_the_reader_fail_in_a_way_of_its_own(content):
    from holdfast.kit.errors import HoldfastError

    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        try:
            source = inspect(path)
            with open_rows(source, size=3) as batches:
                for batch in batches:
                    assert len(batch.cells) == len(batch.lines)
        except HoldfastError:
            pass  # refused, in words
