"""Tables of a store into a folder, a file each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rpcscope.errors import RpcscopeError
from rpcscope.export.files.parquet import write_parquet
from rpcscope.export.files.tables import TABLES
from rpcscope.export.files.texts import write_csv, write_jsonl
from rpcscope.export.files.wanted import Wanted
from rpcscope.store.protocol import Reader

FORMATS: dict[str, Callable[..., int]] = {
    "parquet": write_parquet,
    "csv": write_csv,
    "jsonl": write_jsonl,
}


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written."""

    path: Path
    rows: int


def write_tables(reader: Reader, folder: Path, format: str, names: Iterable[str], wanted: Wanted) -> Iterator[Written]:
    """Each file once it is whole: until then it has another name, and one of its name from before stays.

    Raises:
        RpcscopeError: the folder can not be written to.
    """
    for name in names:
        table, path = TABLES[name], folder / f"{name}.{format}"
        fill = partial(FORMATS[format], columns=table.columns, rows=table.rows(reader, wanted))
        yield Written(path, whole(path, fill))


def whole(path: Path, write: Callable[[Path], int]) -> int:
    """What `write` made of a file beside it, which then takes its name. Raises RpcscopeError."""
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = write(part)
        part.replace(path)
    except OSError as error:
        raise RpcscopeError(
            f"{path} can not be written ({error.strerror or 'the system refuses'}): name another folder"
        ) from None
    finally:
        with suppress(OSError):
            part.unlink()
    return rows
