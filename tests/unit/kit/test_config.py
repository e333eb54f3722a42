from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.kit import config
from holdfast.kit.errors import InvalidInput


def load(home: Path, **environ: str) -> config.Settings:
    return config.load_settings(home, environ)


def test_a_house_without_any_setting_has_safe_defaults(tmp_path):
    house = load(tmp_path)
    assert (house.console_host, house.console_port) == ("127.0.0.1", 8460)
    assert (house.data_plane_host, house.data_plane_port) == ("127.0.0.1", 8461)
    assert house.data_path == tmp_path / "data.sqlite3"
    assert house.keys_path == tmp_path / "keys.sqlite3"
    assert house.workers == 1
    assert not house.debug


def test_the_file_overrides_the_default_and_the_environment_overrides_the_file(tmp_path):
    (tmp_path / "holdfast.toml").write_text("[console]\nport = 9000\n[data_plane]\nport = 9001\n")
    house = load(tmp_path, HOLDFAST_CONSOLE_PORT="9500")
    assert house.console_port == 9500
    assert house.data_plane_port == 9001
    sources = {row.key: row.source for row in house.explain()}
    assert sources["console.port"] == "environment HOLDFAST_CONSOLE_PORT"
    assert sources["data_plane.port"] == str(tmp_path / "holdfast.toml")
    assert sources["origin"] == "default"


def test_the_home_comes_from_the_environment_unless_it_is_given(tmp_path):
    assert config.load_settings(None, {"HOLDFAST_HOME": str(tmp_path)}).home == tmp_path
    assert (
        config.load_settings(tmp_path / "a", {"HOLDFAST_HOME": str(tmp_path)}).home
        == tmp_path / "a"
    )
    assert config.load_settings(None, {}).home == Path("var").absolute()


def test_a_misspelt_key_in_the_file_is_refused_and_the_nearest_is_named(tmp_path):
    (tmp_path / "holdfast.toml").write_text('[console]\nhots = "127.0.0.1"\n')
    with pytest.raises(InvalidInput) as refused:
        load(tmp_path)
    assert refused.value.field == "console.hots"
    assert "console.host" in refused.value.remedy


def test_a_misspelt_key_in_the_environment_is_refused_and_the_nearest_is_named(tmp_path):
    with pytest.raises(InvalidInput) as refused:
        load(tmp_path, HOLDFAST_DATABSE_URL="sqlite:///x.sqlite3")
    assert refused.value.field == "HOLDFAST_DATABSE_URL"
    assert "HOLDFAST_DATABASE_URL" in refused.value.remedy


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOLDFAST_CONSOLE_PORT", "0"),
        ("HOLDFAST_CONSOLE_PORT", "65536"),
        ("HOLDFAST_CONSOLE_PORT", "84x"),
        ("HOLDFAST_CONSOLE_PORT", "٣"),
        ("HOLDFAST_WORKERS", "0"),
        ("HOLDFAST_DEBUG", "perhaps"),
        ("HOLDFAST_LOG_LEVEL", "loud"),
        ("HOLDFAST_HOUSE", "  "),
        ("HOLDFAST_ORIGIN", "holdfast.example.org"),
        ("HOLDFAST_ORIGIN", "http://holdfast.example.org"),
        ("HOLDFAST_ORIGIN", "https://holdfast.example.org/path"),
        ("HOLDFAST_ORIGIN", "https://user@holdfast.example.org"),
        ("HOLDFAST_ORIGIN", "https://holdfast.example.org:eighty"),
        ("HOLDFAST_DATABASE_URL", "sqlite://data.sqlite3"),
        ("HOLDFAST_DATABASE_URL", "sqlite:///"),
        ("HOLDFAST_DATABASE_URL", "sqlite:///data.sqlite3?mode=memory"),
        ("HOLDFAST_DATABASE_URL", "mysql://localhost/x"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(tmp_path, name, value):
    with pytest.raises(InvalidInput) as refused:
        load(tmp_path, **{name: value})
    assert refused.value.field == name.removeprefix("HOLDFAST_").lower().replace(
        "console_", "console."
    )


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_stores_on_postgresql_are_told_without_their_password(tmp_path, scheme):
    house = load(
        tmp_path,
        HOLDFAST_DATABASE_URL=f"{scheme}://app:hunter2@db.example:5433/data",
        HOLDFAST_KEYS_URL=f"{scheme}://app:hunter2@db.example:5433/keys",
    )
    assert not house.embedded
    assert str(house.data) == "db.example:5433/data"
    told = repr(house) + str([row.value for row in house.explain()])
    assert "app:…@db.example:5433/keys" in told
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgres://app@db.example", "name of a database"),
        ("postgres://db.example/data", "name a user"),
        ("postgres://app@db.example:many/data", "no number"),
        ("postgres://app@db.example/data?options=-c", "parameter 'options'"),
        ("mysql://app@db.example/data", "must be like"),
    ],
)
def test_an_address_that_cannot_be_used_says_why(tmp_path, url, why):
    with pytest.raises(InvalidInput, match=why):
        load(tmp_path, HOLDFAST_DATABASE_URL=url)


def test_the_two_stores_stand_on_the_same_kind_of_storage(tmp_path):
    with pytest.raises(InvalidInput, match="both SQLite or both PostgreSQL"):
        load(tmp_path, HOLDFAST_DATABASE_URL="postgres://app@db.example/data")


def test_the_two_stores_are_never_one_file(tmp_path):
    with pytest.raises(InvalidInput, match="same store"):
        load(tmp_path, HOLDFAST_KEYS_URL="sqlite:///data.sqlite3")


def test_an_absolute_database_path_stands_outside_the_house(tmp_path):
    house = load(tmp_path, HOLDFAST_KEYS_URL="sqlite:////srv/keys/keys.sqlite3")
    assert house.keys_path == Path("/srv/keys/keys.sqlite3")


def test_a_secret_is_read_from_the_file_that_is_named_and_shown_nowhere(tmp_path):
    held = tmp_path / "passphrase"
    held.write_text("correct horse battery\n")
    house = load(tmp_path, HOLDFAST_ROOT_PASSPHRASE_FILE=str(held), HOLDFAST_TOKEN="hft_canary")
    assert house.root_passphrase is not None
    assert house.root_passphrase.reveal() == "correct horse battery"
    shown = repr(house) + repr(house.explain())
    assert "horse" not in shown
    assert "hft_canary" not in shown
    rows = {row.key: row.value for row in house.explain()}
    assert rows["root.passphrase"] == rows["token"] == "set"


def test_a_secret_in_the_toml_file_is_refused(tmp_path):
    (tmp_path / "holdfast.toml").write_text('token = "hft_canary"\n')
    with pytest.raises(InvalidInput, match="is a secret") as refused:
        load(tmp_path)
    assert "hft_canary" not in str(refused.value)


def test_a_secret_given_twice_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="both set"):
        load(tmp_path, HOLDFAST_TOKEN="a", HOLDFAST_TOKEN_FILE="/nonexistent")


def test_a_secret_file_that_is_missing_or_no_text_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="cannot be read"):
        load(tmp_path, HOLDFAST_TOKEN_FILE=str(tmp_path / "none"))
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InvalidInput, match="not UTF-8"):
        load(tmp_path, HOLDFAST_TOKEN_FILE=str(tmp_path / "bytes"))


def test_a_settings_file_that_is_no_toml_is_refused(tmp_path):
    (tmp_path / "holdfast.toml").write_text("console = [\n")
    with pytest.raises(InvalidInput, match="not valid TOML"):
        load(tmp_path)
    (tmp_path / "holdfast.toml").write_text("house = [1]\n")
    with pytest.raises(InvalidInput, match="must be a string"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.2", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
    ],
)
def test_loopback_is_told_from_the_rest(host, expected):
    assert config.is_loopback(host) is expected


def test_the_origin_follows_the_console_unless_it_is_set(tmp_path):
    assert load(tmp_path).origin == "http://localhost:8460"
    house = load(tmp_path, HOLDFAST_CONSOLE_PORT="9000")
    assert house.origin == "http://localhost:9000"
    assert replace(house, console_port=9500).origin == "http://localhost:9500"
    assert (
        load(tmp_path, HOLDFAST_ORIGIN="https://house.example/").origin == "https://house.example"
    )
