"""The shape of a result, its targets, its table and the figures in the README."""

from __future__ import annotations

import json

import pytest
from bench.catalogue import module_of
from bench.kept import RESULTS, file_name, kept
from bench.readme import BEGIN, END, README, with_figures
from bench.result import REFERENCE_AEAD_US, Cpu, Line, Target, quantiles_ms
from bench.table import COLUMNS, NONE, markdown_of, number, text_of

LINE = Line(
    what="reveal",
    operations=1000,
    wall_s=2.0,
    cpu_s=Cpu(ours=1.0, client=0.25, database=0.5),
    p50_ms=12.3456,
    p99_ms=45.6,
    bytes_per_record=1240.4,
    targets=(Target("ours_us", 500), Target("per_second", 2000)),
)


def result(line=LINE, aead=REFERENCE_AEAD_US, **details):
    return {
        "workload": "reveal",
        "name": "W1",
        "title": "a title",
        "storage": "postgresql",
        "commit": "abc",
        "machine": {
            "cores": 2,
            "load_average": [0.5, 1, 1],
            "aead_open_us": aead,
            "disk_was_quiet": True,
            "fsync_p50_us": {"before": 210.0, "after": 4200.0},
        },
        "lines": [line.figures(aead)],
        "details": details,
    }


def test_cpu_is_split_per_operation():
    figures = LINE.figures(REFERENCE_AEAD_US)
    assert figures["cpu_us"] == {"ours": 1000, "client": 250, "database": 500}
    assert (figures["per_second"], figures["per_cpu_second"]) == (500, 1000)


def test_what_nobody_spent_is_not_zero():
    figures = Line(what="x", operations=10, wall_s=1.0, cpu_s=Cpu(ours=1.0)).figures(1.0)
    assert figures["cpu_us"] == {"ours": 100_000, "client": None, "database": None}


def test_what_several_took():
    parts = [Cpu(ours=1.0, database=2.0), Cpu(ours=0.5, database=0.25)]
    assert Cpu.together(parts) == Cpu(ours=1.5, client=None, database=2.25)


def test_quantiles_are_milliseconds():
    assert quantiles_ms([0.001, 0.002, 0.003]) == {"p50_ms": 2.0, "p99_ms": 3.0}


@pytest.mark.parametrize(
    ("target", "slower", "times"),
    [
        (Target("ours_us", 500), 1, 2.0),  # twice the CPU
        (Target("ours_us", 500), 2, 1.0),  # met, on a machine half as fast
        (Target("per_second", 2000), 1, 4.0),  # a quarter of the rate
        (Target("per_second", 2000), 2, 2.0),
        (Target("p50_ms", 12.3456), 1, 1.0),
        (Target("per_cpu_second", 500), 1, 0.5),
    ],
)
def test_a_target_allows_for_the_machine(target, slower, times):
    aead = REFERENCE_AEAD_US * slower
    assert target.times(LINE.figures(aead), aead) == times


def test_a_target_of_what_was_not_measured_is_not_met():
    line = Line(what="x", operations=1, wall_s=1.0, targets=(Target("ours_us", 5),))
    assert line.figures(1.0)["targets"][0]["times"] is None


def test_a_target_reads_as_a_sentence():
    assert (str(Target("ours_us", 500)), str(Target("per_second", 15_000))) == (
        "≤ 500 µs CPU",
        "≥ 15,000/s",
    )


@pytest.mark.parametrize(
    ("value", "text"), [(None, NONE), (0.1234, "0.123"), (12.34, "12.3"), (12_345.6, "12,346")]
)
def test_numbers_have_the_digits_they_are_worth(value, text):
    assert number(value) == text


def test_the_table_has_a_column_for_whose_cpu_it_was():
    head, _, row, *_ = text_of([result()]).splitlines()
    assert [name in head for name in COLUMNS] == [True] * len(COLUMNS)
    cells = ["W1 reveal", "postgresql", "500", "12.3", "45.6", "1,000", "250", "500", "1,240"]
    assert row.split() == [
        *" ".join(cells).split(),
        *["210", "→", "4,200", "≤", "500", "µs", "CPU;", "≥", "2,000/s", "2;", "4"],
    ]


def test_a_peer_that_is_not_there_is_told():
    assert "OpenBao: not present" in text_of([result(not_present=["OpenBao"])])


def test_what_a_workload_says_stands_under_the_table():
    assert text_of([result(findings=["all noticed"])]).endswith("a title\n  all noticed")


def test_markdown_has_as_many_cells_in_each_row():
    rows = markdown_of([result()]).splitlines()
    assert {row.count("|") for row in rows} == {len(COLUMNS) + 1}


def test_figures_are_written_between_their_marks():
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    written = with_figures(text, [result()])
    assert "old" not in written
    assert written.startswith("before\n")
    assert written.endswith("\nafter\n")
    assert with_figures(written, [result()]) == written


def test_a_text_without_the_marks_is_refused():
    with pytest.raises(SystemExit):
        with_figures("nothing", [])


def test_names_mean_modules():
    assert [module_of(word) for word in ("W1", "w1b", "ledger")] == [
        "reveal",
        "reveal_one",
        "ledger",
    ]
    with pytest.raises(SystemExit, match="no workload W9"):
        module_of("W9")


def test_a_result_is_of_one_workload_and_storage():
    assert file_name("reveal", "sqlite") == "reveal-sqlite.json"
    assert file_name("decision", "none") == "decision.json"


def test_the_readme_holds_the_figures_that_are_kept():
    """Nobody types figures: what stands there is what the program writes from ``bench/results``."""
    text = README.read_text()
    assert with_figures(text, kept()) == text


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.json")), ids=lambda path: path.name)
def test_what_is_kept_is_whole(path):
    """A result of ``--quick`` is never kept, and each is where its workload writes it."""
    from importlib import import_module

    found = json.loads(path.read_text())
    workload = import_module(f"bench.{found['workload']}").WORKLOAD
    assert path.name == file_name(found["workload"], found["storage"])
    assert found["amount"] == {workload.unit: workload.amount}
