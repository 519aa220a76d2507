"""Wire text is hostile; a batch is stored all the same, and comes back as near to it as a database allows."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from rpcscope.model import Batch, Call, Gap, GapCause, Operation, Process
from rpcscope.store import OperationFilter, Store
from tests.contract.records import START, begin, begun, make_call, make_operation, make_process, recording_of

KEPT = {
    "emoji": "boot \U0001f680 \U0001f1e9\U0001f1ea",
    "quotes": "a'b\"c`d\\e%s%(x)s?:y;--",
    "marks of direction": "abc\u202etxt\u2066",
    "lines": "a\nb\tc\r",
    "blanks at the end": "a  ",
    "letter case": "Nova-Compute ÄÖß",
    "decomposed": "e\u0301",
    "255 characters": "x" * 255,
}


def texts_of(kind: type) -> list[str]:
    return [field.name for field in fields(kind) if field.type == "str"]


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT.keys())
def test_any_text_comes_back_as_it_was(store: Store, text: str) -> None:
    writer, base = begun(store)
    call = replace(make_call(base + 1), **dict.fromkeys(texts_of(Call), text))
    waiting = replace(make_call(base + 2, closed=False), **dict.fromkeys(texts_of(Call), text))
    operation = replace(make_operation(base + 1, instances=(text,)), **dict.fromkeys(texts_of(Operation), text))
    process = replace(make_process(base + 1), **dict.fromkeys(texts_of(Process), text))
    gap = Gap(from_ns=START, to_ns=START, cause=GapCause.STORE, note=text)
    writer.write(
        Batch(
            recording_id=recording_of(base),
            calls=(call,),
            open_calls=(waiting,),
            operations=(operation,),
            processes=(process,),
            gaps=(gap,),
        )
    )
    reader = store.reader()
    assert list(reader.calls()) == [call, waiting]
    assert list(reader.operations(OperationFilter(instance=text, kind=text, request_id=text))) == [operation]
    assert reader.processes() == {process.id: process}
    assert reader.gaps() == [gap]


@pytest.mark.parametrize(
    ("text", "kept"), [("a\0b\0", "ab"), ("\0", ""), ("a\ud800b", "a?b")], ids=["NUL", "only NUL", "lone surrogate"]
)
def test_what_no_database_takes_is_left_out(store: Store, text: str, kept: str) -> None:
    writer, base = begun(store)
    call = replace(make_call(base + 1), **dict.fromkeys(texts_of(Call), text))
    waiting = replace(call, id=base + 2, published_ns=START + 9, closed=False)
    operation = replace(make_operation(base + 1, instances=(text,)), **dict.fromkeys(texts_of(Operation), text))
    process = replace(make_process(base + 1), **dict.fromkeys(texts_of(Process), text))
    batch = Batch(
        recording_id=recording_of(base),
        calls=(call,),
        open_calls=(waiting,),
        operations=(operation,),
        processes=(process,),
        gaps=(Gap(from_ns=START, to_ns=START, cause=GapCause.STORE, note=text),),
    )
    writer.write(batch)
    reader = store.reader()
    for read in reader.calls():
        assert {getattr(read, name) for name in texts_of(Call)} == {kept}
    assert [part.instances for part in reader.operations()] == [(kept,)]
    assert [read.key for read in reader.processes().values()] == [kept]
    assert [read.note for read in reader.gaps()] == [kept]


def test_long_texts_are_cut_and_still_differ(store: Store) -> None:
    writer, base = begun(store)
    long = ["n" * 10_000 + end for end in "ab"]
    calls = [
        replace(make_call(base + n), method=text, unique_id=text, server=text) for n, text in enumerate(long, start=1)
    ]
    waiting = replace(make_call(base + 3, closed=False), method=long[0], unique_id=long[0])
    writer.write(Batch(recording_id=recording_of(base), calls=tuple(calls), open_calls=(waiting,)))
    one, other, third = store.reader().calls()
    assert one.method != other.method
    assert one.unique_id != other.unique_id
    assert (third.method, third.unique_id) == (one.method, one.unique_id)
    assert {len(one.method), len(one.unique_id), len(one.server)} == {255}
    assert one.method.startswith("n" * 200)


def test_numbers_longer_than_64_bits_are_held_within_them(store: Store) -> None:
    writer, base = begun(store)
    calls = (make_call(base + 1, expiration_ms=10**30), make_call(base + 2, expiration_ms=-(10**30)))
    waiting = make_call(base + 3, expiration_ms=10**30, closed=False)
    process = make_process(base + 1, pid=10**30)
    writer.write(Batch(recording_id=recording_of(base), calls=calls, open_calls=(waiting,), processes=(process,)))
    most = 2**63 - 1
    assert [call.expiration_ms for call in store.reader().calls()] == [most, -most, most]
    assert [read.pid for read in store.reader().processes().values()] == [most]


def test_hostile_words_of_a_recording_are_stored(store: Store) -> None:
    resume = begin(store.writer(), label="l\0" + "x" * 1_000, scope="s\0" * 500, conditions="c\0\n" * 20_000)
    assert len(resume.recording.label) == 255
    assert "\0" not in resume.recording.conditions
    again = begin(store.writer(), scope="s\0" * 500)
    assert again.recording.scope == resume.recording.scope
