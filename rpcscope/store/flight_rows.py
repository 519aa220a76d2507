"""Work in flight, phases, triggers and layouts as rows, and back."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import Row

from rpcscope.model import Batch, InFlightSample, Layout, TapPhase
from rpcscope.store.protocol import Trigger
from rpcscope.store.text import fit

Names = Mapping[str, int]
Texts = Mapping[int, str]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Layout).decode


def flight_names(batch: Batch) -> set[str]:
    """Every text of a batch's work in flight and layouts that the dictionary of names holds."""
    texts = {layout.vhost for layout in batch.layouts}
    for sample in batch.in_flight:
        texts.update((sample.queue, sample.method))
    return texts


def in_flight_row(sample: InFlightSample, names: Names) -> dict[str, Any]:
    """The row of `in_flight_sample`, but for its recording."""
    return {
        "at_ns": sample.at_ns,
        "process_id": sample.process,
        "queue_id": names[sample.queue],
        "method_id": names[sample.method],
        "requests": sample.count,
        "oldest_ns": sample.oldest_ns,
    }


def in_flight_of(row: Row[Any], texts: Texts) -> InFlightSample:
    """The sample of a row."""
    return InFlightSample(
        at_ns=row.at_ns,
        process=row.process_id,
        queue=texts[row.queue_id],
        method=texts[row.method_id],
        count=row.requests,
        oldest_ns=row.oldest_ns,
    )


def phase_row(phase: TapPhase) -> dict[str, Any]:
    """The row of `tap_phase`, but for its recording."""
    return {"at_ns": phase.at_ns, "mode": fit(phase.mode), "why": fit(phase.why)}


def phase_of(row: Row[Any]) -> TapPhase:
    """The phase of a row."""
    return TapPhase(at_ns=row.at_ns, mode=row.mode, why=row.why)


def trigger_of(row: Row[Any]) -> Trigger:
    """The trigger of a row."""
    return Trigger(
        id=row.id,
        at_ns=row.at_ns,
        name=row.name,
        why=row.why,
        minutes=row.minutes_milli / 1000,
        taken_ns=row.taken_ns,
    )


def layout_row(layout: Layout, names: Names) -> dict[str, Any]:
    """The row of `layout`, but for its recording: all of it in one blob."""
    # Names come again and again in bindings and consumers, so that little is left of them.
    return {"vhost_id": names[layout.vhost], "at_ns": layout.at_ns, "blob": zlib.compress(_encode(_fitted(layout)), 1)}


def layout_of(row: Row[Any]) -> Layout:
    """The layout of a row."""
    return _decode(zlib.decompress(row.blob))


def _fitted(layout: Layout) -> Layout:
    return replace(
        layout,
        vhost=fit(layout.vhost),
        exchanges=tuple(replace(e, name=fit(e.name), kind=fit(e.kind)) for e in layout.exchanges),
        bindings=tuple(
            replace(b, exchange=fit(b.exchange), destination=fit(b.destination), routing_key=fit(b.routing_key))
            for b in layout.bindings
        ),
        consumers=tuple(replace(c, queue=fit(c.queue), process=fit(c.process)) for c in layout.consumers),
    )
