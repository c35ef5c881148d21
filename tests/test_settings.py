"""Settings from the environment and from scopekey.toml; what is missing or misspelt refuses to start."""

import stat
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from pydantic import ValidationError

from scopekey.core.digest import Pepper
from scopekey.settings import MissingSecretError, Settings, write_private

ONE, TWO = "1a" * 32, "2b" * 32


@pytest.fixture(autouse=True)
def plain(tmp_path, monkeypatch):
    """A folder of its own, and nothing of ours in the environment."""
    import os

    for name in [name for name in os.environ if name.startswith("SCOPEKEY_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_defaults_are_those_of_the_contract():
    settings = Settings()
    assert (".scopekey", "127.0.0.1", 8700, 401) == (
        str(settings.home),
        settings.host,
        settings.port,
        settings.missing_permission_status,
    )
    assert (5_000, 900_000, 90 * 86_400_000) == (
        settings.stale_after,
        settings.refuse_after,
        settings.default_lifetime,
    )
    assert ("sck", ("live", "test")) == (settings.key_format.prefix, settings.key_format.environments)


def test_the_store_is_a_file_of_the_home_folder_unless_it_is_told(plain, monkeypatch):
    assert f"sqlite:///{plain / '.scopekey' / 'scopekey.db'}" == Settings().store_url
    monkeypatch.setenv("SCOPEKEY_DATABASE_URL", "postgresql://db/scopekey")
    assert "postgresql://db/scopekey" == Settings().store_url


def test_the_program_comes_before_the_environment_and_the_environment_before_the_file(plain, monkeypatch):
    (plain / "scopekey.toml").write_text('port = 1\nhost = "127.0.0.2"\nworkers = 3\n')
    monkeypatch.setenv("SCOPEKEY_PORT", "2")
    monkeypatch.setenv("SCOPEKEY_HOST", "127.0.0.3")
    settings = Settings(port=4)
    assert (4, "127.0.0.3", 3) == (settings.port, settings.host, settings.workers)


def test_a_name_that_is_not_a_setting_is_refused_in_the_file(plain):
    (plain / "scopekey.toml").write_text("refuse_afer = '5s'\n")
    with pytest.raises(ValidationError, match="refuse_afer"):
        Settings()


@pytest.mark.parametrize(("written", "expected"), [("5s", 5_000), ("15m", 900_000), ("PT1H", 3_600_000), ("0s", 0)])
def test_durations_are_written_with_their_unit(written, expected, monkeypatch):
    monkeypatch.setenv("SCOPEKEY_REFUSE_AFTER", written)
    assert expected == Settings().refuse_after


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REFUSE_AFTER", "soon"),
        ("DEFAULT_LIFETIME", "0s"),
        ("PORT", "65536"),
        ("WORKERS", "0"),
        ("MISSING_PERMISSION_STATUS", "404"),
        ("KEY_PREFIX", "SCK"),
        ("KEY_PREFIX", "s_k"),
        ("ENVIRONMENTS", ""),
        ("ENVIRONMENTS", "live,live test"),
    ],
)
def test_a_value_that_cannot_be_is_refused(name, value, monkeypatch):
    monkeypatch.setenv(f"SCOPEKEY_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_environments_are_separated_by_commas(monkeypatch):
    monkeypatch.setenv("SCOPEKEY_ENVIRONMENTS", "prod, staging")
    assert ("prod", "staging") == Settings().environments


def test_the_current_pepper_is_first_and_retired_ones_stay_beside_it(monkeypatch):
    monkeypatch.setenv("SCOPEKEY_PEPPER", f"{ONE},{TWO}")
    one, two = (Pepper(bytes.fromhex(word)) for word in (ONE, TWO))
    assert [one.id, two.id] == [pepper.id for pepper in Settings().peppers()]
    assert {one.id, two.id} == set(Settings().pepper_ring())


def test_peppers_and_signing_key_are_read_from_the_home_folder(plain):
    write_private(plain / "pepper", f"{ONE}\n{TWO}\n")
    write_private(plain / "signing_key", TWO + "\n")
    settings = Settings(home=plain)
    assert (2, bytes.fromhex(TWO)) == (len(settings.peppers()), settings.signing_seed())


def test_a_missing_pepper_is_told_with_where_it_is_looked_for(plain):
    with pytest.raises(
        MissingSecretError, match=r"SCOPEKEY_PEPPER is set nor does .*pepper exist; run `scopekey init`"
    ):
        Settings(home=plain).peppers()
    with pytest.raises(MissingSecretError, match="SCOPEKEY_SIGNING_KEY"):
        Settings(home=plain).signing_seed()


@pytest.mark.parametrize("word", ["", "SECRET", ONE[:-2], ONE + "00", "z" * 64, "1a " * 32, "é" * 64])
def test_a_pepper_that_is_none_is_refused_without_being_repeated(word, plain, monkeypatch):
    monkeypatch.setenv("SCOPEKEY_PEPPER", word)
    (plain / "pepper").write_bytes(word.encode())
    for settings in (Settings(), Settings(home=plain, pepper=None)):
        with pytest.raises(MissingSecretError) as caught:
            settings.peppers()
        assert not word or word not in str(caught.value)


def test_secrets_do_not_show_where_settings_are_printed(plain, monkeypatch):
    monkeypatch.setenv("SCOPEKEY_PEPPER", ONE)
    monkeypatch.setenv("SCOPEKEY_SIGNING_KEY", TWO)
    monkeypatch.setenv("SCOPEKEY_DATABASE_URL", "postgresql://user:PASSWORD@db/scopekey")
    shown = repr(Settings()) + str(Settings().model_dump()) + Settings().model_dump_json()
    assert not [secret for secret in (ONE, TWO, "PASSWORD") if secret in shown]
    (plain / "scopekey.toml").write_text("signing_key = 123456789\n")
    monkeypatch.delenv("SCOPEKEY_SIGNING_KEY")
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert "123456789" not in str(caught.value)


def test_a_private_file_is_its_owners_alone_and_is_never_written_over(plain):
    write_private(plain / "secret", "text")
    assert 0o600 == stat.S_IMODE((plain / "secret").stat().st_mode)
    with pytest.raises(FileExistsError):
        write_private(plain / "secret", "other")
    assert "text" == (plain / "secret").read_text()


def test_processes_that_start_together_have_one_id_of_their_machine(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    together = Barrier(16)

    def ask(_):
        together.wait()
        return Settings(home=home).node_id()

    with ThreadPoolExecutor(16) as threads:
        found = set(threads.map(ask, range(16)))
    assert (1, 16) == (len(found), len(found.pop()))
    assert ["node"] == [file.name for file in home.iterdir()]
