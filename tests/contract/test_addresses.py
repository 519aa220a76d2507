"""A wrong address of a database gets a sentence that says what to do, and never shows the password."""

from __future__ import annotations

from pathlib import Path

import pytest

from rpcscope.errors import StoreError
from rpcscope.free_ports import free_port
from rpcscope.store import TransientStoreError, open_store
from rpcscope.store.migrate import check, status
from tests.contract.conftest import DATABASES, Server
from tests.support.postgres import URL_PASSWORD

PASSWORDS = (URL_PASSWORD, "sesame", "wrong-password")
SERVERS = pytest.mark.parametrize("database_kind", DATABASES[1:], indirect=True)


def refusal(url: str) -> StoreError:
    with pytest.raises(StoreError) as caught:
        open_store(url, create=True)
    said = str(caught.value)
    assert caught.value.exit_code == 4
    assert "\n" not in said
    assert not any(password in said for password in PASSWORDS)
    return caught.value


@SERVERS
def test_a_wrong_password_is_told(store_url: str) -> None:
    error = refusal(store_url.replace(URL_PASSWORD, "wrong-password"))
    assert "refused the user or the password" in str(error)
    assert not isinstance(error, TransientStoreError)


@SERVERS
def test_an_unknown_user_is_told(store_url: str) -> None:
    assert "refused the user or the password" in str(refusal(store_url.replace("rpcscope:", "nobody-here:")))


@SERVERS
def test_an_unknown_database_is_told(store_url: str) -> None:
    assert "does not have this database" in str(refusal(store_url + "-not"))


@SERVERS
def test_a_server_that_is_away_is_told_and_worth_another_try(server: Server) -> None:
    error = refusal(server.url("store").replace(str(server.port), str(free_port())))
    assert "can not be reached: start it" in str(error)
    assert isinstance(error, TransientStoreError)
    assert error.transient


@SERVERS
def test_a_user_without_rights_is_told(server: Server, store_url: str) -> None:
    quote, host = ("", "@'%'") if store_url.startswith("mariadb") else ('"', "")
    words = "IDENTIFIED BY" if host else "PASSWORD"
    name = "guest" + store_url.rpartition("/")[2]
    server.execute(f"CREATE USER {quote}{name}{quote}{host} {words} 'sesame'")
    error = refusal(store_url.replace(f"rpcscope:{URL_PASSWORD}", f"{name}:sesame"))
    server.execute(f"DROP USER {quote}{name}{quote}{host}")
    assert "does not let this user read and write" in str(error)


@pytest.mark.parametrize(
    "url",
    [
        "oracle://scott:wrong-password@host/name",
        "postgresql+asyncpg://u:wrong-password@host/name",
        "mysql+mysqldb://u:wrong-password@host/name",
        "postgresql://u:wrong-password@host:port/name",
        "postgresql://u:wrong-password@host",
        "://wrong-password",
        "sqlite://",
        "sqlite:///:memory:",
    ],
)
def test_an_address_that_is_none_is_told(url: str) -> None:
    assert "write a path, sqlite:///path, postgresql://" in str(refusal(url))


@pytest.mark.parametrize("prefix", ["", "sqlite:///"])
def test_a_path_is_an_sqlite_file_and_its_folder_is_made(tmp_path: Path, prefix: str) -> None:
    path = tmp_path / "new folder" / "store.db"
    open_store(f"{prefix}{path}", create=True).close()
    open_store(f"{prefix}{path}").close()
    assert path.exists()


def test_a_file_that_is_not_there_is_not_made_by_reading(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    for use in (open_store, check, status):
        with pytest.raises(StoreError, match=f"there is no store at {path}: record or import something first"):
            use(str(path))
    assert not path.exists()


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "can not be made" in str(refusal(str(tmp_path / "file" / "folder" / "store.db")))


def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    assert "can not be opened" in str(refusal(str(tmp_path)))


def test_a_file_of_another_kind_is_told_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are my notes, " * 100)
    assert "is not an SQLite database" in str(refusal(str(path)))
    assert path.read_text() == "these are my notes, " * 100
