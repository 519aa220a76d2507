"""Translates what drivers raise into one sentence that says what to do.

The driver's own text stays out: it may hold a password or a value from the wire. It is the error's cause.
"""

from __future__ import annotations

import sqlite3

import psycopg
import pymysql
from sqlalchemy.exc import SQLAlchemyError

from rpcscope.errors import StoreError

DRIVER_ERRORS = (SQLAlchemyError, sqlite3.Error, psycopg.Error, pymysql.MySQLError, OverflowError)


class TransientStoreError(StoreError):
    """The database can not be used just now: the same batch may be written again."""

    transient = True


LOCKED = "is locked by another program: try again, or stop the other writer"
LOST = "can not be reached: start it, or correct its address"
CROWDED = "is too busy: try again"
DENIED = "refused the user or the password: correct the database URL"
NO_DATABASE = "does not have this database: create it, or correct the database URL"
NO_RIGHT = "does not let this user read and write: grant it the rights, or use another user"
FULL = "is full: free some space, or remove old rows with `rpcscope db prune`"
READ_ONLY = "is read-only: make it writable, or name another store"
NOT_OPENED = "can not be opened: check that its folder exists and that you may write there"
NOT_SQLITE = "is not an SQLite database: name another file"
DAMAGED = "is damaged or its disk fails: restore it from a backup, or name another file"
CONFLICT = "already has one of these rows: write each call once"
BAD_NUMBER = "can not hold one of these numbers: it is longer than 64 bits"
OTHER = "refused a statement of rpcscope"

TRANSIENT = frozenset({LOCKED, LOST, CROWDED})

_SQLITE = {
    "SQLITE_BUSY": LOCKED,
    "SQLITE_LOCKED": LOCKED,
    "SQLITE_FULL": FULL,
    "SQLITE_READONLY": READ_ONLY,
    "SQLITE_CANTOPEN": NOT_OPENED,
    "SQLITE_PERM": NOT_OPENED,
    "SQLITE_NOTADB": NOT_SQLITE,
    "SQLITE_CORRUPT": DAMAGED,
    "SQLITE_IOERR": DAMAGED,
    "SQLITE_CONSTRAINT": CONFLICT,
}
_POSTGRESQL = {
    "08": LOST,
    "57P": LOST,
    "40": CROWDED,
    "55P03": CROWDED,
    "533": CROWDED,
    "53": FULL,
    "28": DENIED,
    "3D": NO_DATABASE,
    "42501": NO_RIGHT,
    "25006": READ_ONLY,
    "23": CONFLICT,
}
# A refused connection has no code in psycopg, only libpq's text.
_LIBPQ = {
    "the database system is": LOST,  # starting up, shutting down
    "authentication failed": DENIED,
    "no password supplied": DENIED,
    "no pg_hba.conf entry": DENIED,
    "role ": DENIED,
    "database ": NO_DATABASE,
    "too many clients": CROWDED,
}
_MARIADB = {
    1020: CROWDED,
    1021: FULL,
    1040: CROWDED,
    1044: NO_RIGHT,
    1045: DENIED,
    1049: NO_DATABASE,
    1062: CONFLICT,
    1114: FULL,
    1142: NO_RIGHT,
    1205: CROWDED,
    1213: CROWDED,
    1290: READ_ONLY,
    1698: DENIED,
    1792: READ_ONLY,
    1836: READ_ONLY,
}


def translate(error: BaseException, shown: str) -> StoreError:
    """The StoreError for what a driver raised; a TransientStoreError when trying again may help.

    `shown` names the database without its password.
    """
    cause = getattr(error, "orig", None) or error
    sentence = _sentence(cause)
    kind = TransientStoreError if sentence in TRANSIENT else StoreError
    detail = "" if sentence is not OTHER else f" ({type(cause).__name__}{_code(cause)}): report this"
    return kind(f"the database {shown} {sentence}{detail}")


def _sentence(cause: BaseException) -> str:
    match cause:
        case sqlite3.Error():
            return _sqlite(cause)
        case psycopg.Error():
            return _postgresql(cause)
        case pymysql.MySQLError():
            return _mariadb(cause)
        case OverflowError():
            return BAD_NUMBER
    return OTHER


def _sqlite(cause: sqlite3.Error) -> str:
    name = getattr(cause, "sqlite_errorname", "")
    return next((sentence for start, sentence in _SQLITE.items() if name.startswith(start)), OTHER)


def _postgresql(cause: psycopg.Error) -> str:
    if cause.sqlstate:
        state = cause.sqlstate
        return next((sentence for start, sentence in _POSTGRESQL.items() if state.startswith(start)), OTHER)
    text = str(cause)
    refused = "FATAL" in text or "no password" in text
    known = (sentence for part, sentence in _LIBPQ.items() if refused and part in text)
    return next(known, LOST if isinstance(cause, psycopg.OperationalError) else OTHER)


def _mariadb(cause: pymysql.MySQLError) -> str:
    code = cause.args[0] if cause.args else 0
    if code in (0, 1053, 1927) or (isinstance(code, int) and 2000 <= code < 3000):
        return LOST
    return _MARIADB.get(code, OTHER)


def _code(cause: BaseException) -> str:
    code = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
    if code is None and isinstance(cause, pymysql.MySQLError) and cause.args:
        code = cause.args[0]
    return f" {code}" if isinstance(code, int | str) and len(str(code)) < 40 and " " not in str(code) else ""
