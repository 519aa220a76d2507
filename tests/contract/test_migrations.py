"""Every database arrives at the same tables, and one that does not fit is left alone with a sentence."""

from __future__ import annotations

from threading import Thread

import pytest
from alembic.autogenerate import compare_metadata
from alembic.command import upgrade as _upgrade
from alembic.migration import MigrationContext
from sqlalchemy import text

from rpcscope.errors import StoreError
from rpcscope.store import Store, open_store
from rpcscope.store.database import Database
from rpcscope.store.migrate import check, status, upgrade
from rpcscope.store.schema import metadata

HEAD = "0010"


def run(url: str, *statements: str) -> None:
    database = Database(url)
    try:
        with database.writing() as connection:
            for statement in statements:
                connection.execute(text(statement))
    finally:
        database.close()


def test_the_migrations_make_the_tables_of_the_schema(store: Store) -> None:
    with store._database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_upgrade_makes_an_empty_database_usable_and_again_changes_nothing(store_url: str) -> None:
    upgrade(store_url)
    check(store_url)
    before = status(store_url)
    upgrade(store_url)
    assert status(store_url) == before
    assert before.revision == before.head == HEAD
    assert before.size_bytes > 0
    assert before.rows["call"] == 0


def test_two_programs_may_create_the_same_store_at_once(store_url: str) -> None:
    errors: list[BaseException] = []

    def create() -> None:
        try:
            open_store(store_url, create=True).close()
        except BaseException as error:
            errors.append(error)

    threads = [Thread(target=create) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    check(store_url)


def test_a_creation_that_was_interrupted_is_told(store_url: str) -> None:
    upgrade(store_url)
    run(store_url, "DELETE FROM alembic_version")
    for create in (False, True):
        with pytest.raises(StoreError, match="has no revision: its creation was interrupted"):
            open_store(store_url, create=create)


def test_a_database_of_an_older_revision_says_which_and_what_to_run(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade(store_url)
    monkeypatch.setattr("rpcscope.store.migrate._head", lambda: "9998")
    for create in (False, True):
        with pytest.raises(StoreError) as caught:
            open_store(store_url, create=create)
        assert f"is at revision {HEAD}, this rpcscope needs 9998: run `rpcscope db upgrade`" in str(caught.value)


@pytest.mark.parametrize(
    ("revision", "new"),
    [
        ("0001", "queue_sample"),
        ("0003", "in_flight_sample"),
        ("0005", "recording_label"),
        ("0006", "run"),
        ("0008", "call_account"),
        ("0009", "migration_progress"),
    ],
)
def test_an_upgrade_keeps_what_an_older_rpcscope_stored(
    store_url: str, monkeypatch: pytest.MonkeyPatch, revision: str, new: str
) -> None:
    with monkeypatch.context() as older:
        older.setattr("rpcscope.store.migrate.command.upgrade", lambda config, _: _upgrade(config, revision))
        upgrade(store_url)
    assert new not in status(store_url).rows
    run(store_url, "INSERT INTO name (hash, text, epoch) VALUES ('aa', 'compute', 0)")
    upgrade(store_url)
    found = status(store_url)
    assert (found.revision, found.rows["name"], found.rows[new]) == (HEAD, 1, 0)


def test_a_database_of_a_newer_rpcscope_is_refused_and_left_alone(store_url: str) -> None:
    upgrade(store_url)
    run(store_url, "UPDATE alembic_version SET version_num = '9999'")
    for use in (open_store, check, upgrade):
        with pytest.raises(StoreError, match=rf"written by a newer rpcscope \(revision 9999, this one knows {HEAD}\)"):
            use(store_url)
    assert status(store_url).revision == "9999"


@pytest.mark.parametrize("theirs", ["instances", "alembic_version"])
def test_a_database_of_another_program_is_refused_and_left_alone(store_url: str, theirs: str) -> None:
    run(store_url, f"CREATE TABLE {theirs} (version_num VARCHAR(32))")
    for use in (lambda url: open_store(url, create=True), open_store, check, upgrade, status):
        with pytest.raises(StoreError, match="has tables of another program: name an empty database"):
            use(store_url)
    database = Database(store_url)
    with database.reading() as connection:
        assert connection.execute(text(f"SELECT count(*) FROM {theirs}")).scalar() == 0
    database.close()


def test_status_of_an_empty_database_says_that_it_is(store_url: str) -> None:
    run(store_url)
    assert (status(store_url).revision, status(store_url).rows) == ("", {})
    with pytest.raises(StoreError, match="is empty: run `rpcscope db upgrade`"):
        check(store_url)
    with pytest.raises(StoreError, match="is empty"):
        open_store(store_url)
