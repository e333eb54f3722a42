import json

from holdfast.kit import terminal


def test_data_goes_to_standard_output_and_talk_does_not(capsys):
    terminal.say("working")
    terminal.emit({"a": 1}, as_json=True)
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"a": 1}
    assert shown.err == "working\n"


def test_rows_are_laid_out_in_columns(capsys):
    terminal.emit([{"name": "bank-01", "open": True}, {"name": "x", "open": None}], as_json=False)
    assert capsys.readouterr().out.splitlines() == ["name     open", "bank-01  yes", "x        –"]


def test_no_rows_print_nothing_and_json_stays_json(capsys):
    terminal.emit([], as_json=False)
    terminal.emit([], as_json=True)
    assert capsys.readouterr().out == "[]\n"


def test_a_secret_stands_alone_on_standard_output(capsys):
    terminal.emit_secret("token", "hft_x", as_json=False, also={"id": "crd_1"})
    shown = capsys.readouterr()
    assert shown.out == "hft_x\n"
    assert "crd_1" in shown.err
    assert "hft_x" not in shown.err


def test_a_pipe_gets_no_colours_and_no_bar(capsys):
    assert terminal.paint("x", "red") == "x"
    with terminal.progress("reading", total=2) as bar:
        bar.advance(1)
        bar.total(None)
    assert capsys.readouterr().err == ""
