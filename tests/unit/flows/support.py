"""Small worlds, fleets and templates for the tests of flows."""

from __future__ import annotations

import asyncio

from rpcscope.templates.model import RpcKind, Sizes, Step, Template, Times, Variant


class PlainWorld:
    """Time alone, in a virtual loop."""

    def now_s(self) -> float:
        return asyncio.get_running_loop().time() if _running() else 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def step(method: str, kind: RpcKind = "call", *, delay: float = 0.0, work: float = 0.0, **more: object) -> Step:
    """A step that always takes the same time: a request of 1000 bytes and, of a call, a reply of 500."""
    return Step(
        method=method,
        kind=kind,
        topic=more.pop("topic", "conductor"),
        delay=Times(quantiles_s=(delay,)) if delay else Times(),
        work=Times(quantiles_s=(work,)) if work else Times(),
        request=Sizes(quantiles=(1000,)),
        reply=Sizes(quantiles=(500,)) if kind == "call" else Sizes(),
        **more,
    )


def template(kind: str, *roots: Step, instances: int = 1) -> Template:
    """Of one shape."""
    return Template(kind=kind, instances=instances, variants=(Variant(operations=1, share=1.0, roots=roots),))
