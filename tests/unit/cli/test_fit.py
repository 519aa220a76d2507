"""Tables on narrow terminals: columns go, one column is broken over lines, no value is cut."""

import io

import pytest
from rich.console import Console
from rich.table import Table

from rpcscope.cli import fit
from rpcscope.cli.output import cell, table

REQUEST_ID = "req-5c5f2fb5-7f1a-4023-875e-71fe5f1c5e56"
METHOD = "object_class_action_versions(InstanceActionEvent.event_finish_with_failure)"


def calls() -> Table:
    lines = table("kind", "method", ">bytes", "request id")
    lines.add_row("call", cell(METHOD), "114,790", REQUEST_ID)
    return lines


def put(monkeypatch: pytest.MonkeyPatch, width: int, *, spare: tuple[str, ...] = (), fold: str = "") -> str:
    out = io.StringIO()
    monkeypatch.setattr(fit, "console", lambda: Console(file=out, width=width))
    fit.put_table(calls(), spare=spare, fold=fold)
    return out.getvalue()


def test_a_table_that_fits_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = put(monkeypatch, 160, spare=("bytes",), fold="method")
    assert all(word in shown for word in (METHOD, REQUEST_ID, "114,790"))
    assert "Not shown" not in shown


@pytest.mark.parametrize("width", [80, 100, 120])
def test_columns_that_can_be_spared_go_only_when_folding_is_not_enough(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    shown = put(monkeypatch, width, spare=("bytes", "kind"), fold="method")
    lines = shown.splitlines()
    assert max(map(len, lines)) <= width
    assert REQUEST_ID in shown
    assert ("114,790" in shown) == (width > 80)
    assert ("bytes" in lines[-1]) == (width == 80)
    start = lines[0].index("method")
    folded = "".join(line[start:].split("  ")[0].strip() for line in lines[1:] if not line.startswith("Not shown"))
    assert METHOD in folded


@pytest.mark.parametrize("width", [10, 40])
def test_what_can_not_be_made_narrower_is_never_cut(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    shown = put(monkeypatch, width, spare=("bytes",))
    assert METHOD in shown
    assert REQUEST_ID in shown
