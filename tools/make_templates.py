"""Make the templates that ship, from the captures of the tests.

    python tools/make_templates.py

The same captures give the same files, byte for byte. What the laboratory did and a cloud at rest does not is left out:
servers that were deleted or evacuated and are looked after again and again, a compute that was stopped.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from rpcscope.capture import CaptureReader
from rpcscope.cli.importing import import_capture
from rpcscope.rules import load_rules
from rpcscope.store import open_store
from rpcscope.store.protocol import Reader
from rpcscope.templates.chosen import Choice
from rpcscope.templates.files import SHIPPED, save, stem
from rpcscope.templates.known import Known, inner, known
from rpcscope.templates.learn import learn
from rpcscope.templates.model import Provenance, Step, Template

ROOT = Path(__file__).parents[1]
CAPTURES = ROOT / "tests" / "captures"
MADE = ROOT / "rpcscope" / "templates" / SHIPPED
REFUSED = CAPTURES / "nova34" / "14_boot_no_valid_host.jsonl.zst"
SEVERAL = CAPTURES / "nova34-parents" / "04_boot_min_count_5.jsonl.zst"
STOPPED = "16_rpc_timeout_sigstop.jsonl.zst"
STARTED = "startup:compute"
PER_SERVER = (
    "Instance.get_by_uuid",
    "InstanceInfoCache.",
    "BlockDeviceMappingList.get_by_instance_uuid",
    "Migration.save",
)
PEOPLE = ("create", "delete", "evacuate", "live-migration", "set_host_enabled")
TOLD = Provenance(release="nova 34.0 (2026.2)")


def main() -> None:
    """Replace the folder."""
    others = {STOPPED, REFUSED.name}
    captures = sorted(path for path in (CAPTURES / "nova34").glob("*.jsonl.zst") if path.name not in others)
    shutil.rmtree(MADE, ignore_errors=True)
    MADE.mkdir()
    for made in (_nova(captures), _refused(REFUSED), _several(SEVERAL)):
        for template in made:
            save(template, MADE / f"{stem(template)}.yaml")


def _nova(captures: Iterable[Path]) -> Iterator[Template]:
    with _stored(captures) as reader:
        yield from learn(reader, Choice(kinds=PEOPLE, background=False), TOLD).templates
        for template in learn(reader, Choice(), TOLD, _at_rest(known())).templates:
            if template.kind == STARTED:
                yield _without_servers(template)
            elif template.background:
                yield template


def _without_servers(template: Template) -> Template:
    """The one start that was recorded found servers that had been evacuated, and cleaned up after each."""
    (variant,) = template.variants
    numbers: list[int] = []  # of each root among those that are kept, or of the one that it waited for
    kept: list[Step] = []
    for root in variant.roots:
        after = numbers[root.after] if root.after >= 0 else -1
        if any(inner(root.method).startswith(method) for method in PER_SERVER):
            numbers.append(after)
        else:
            numbers.append(len(kept))
            kept.append(msgspec.structs.replace(root, after=after))
    told = f"what it did for servers that had been evacuated is left out: {len(variant.roots) - len(kept)} calls"
    return msgspec.structs.replace(template, variants=(msgspec.structs.replace(variant, roots=tuple(kept), note=told),))


def _refused(capture: Path) -> Iterator[Template]:
    """A kind of its own: how often it happens was the laboratory's choice. One timer ran only here."""
    with _stored([capture]) as reader:
        for template in learn(reader, Choice(kinds=("create",), background=False), TOLD).templates:
            yield msgspec.structs.replace(template, kind="create-no-valid-host")
        yield from learn(reader, Choice(kinds=("periodic:sync_power_states",)), TOLD).templates


def _several(capture: Path) -> Iterator[Template]:
    with _stored([capture]) as reader:
        yield from learn(reader, Choice(kinds=("create",), background=False), TOLD).templates


def _at_rest(names: Known) -> Known:
    """Without the saves of deleted servers: none are left over in a cloud at rest."""
    tasks = tuple(
        msgspec.structs.replace(task, steps=task.steps[:1]) if task.kind.endswith("run_pending_deletes") else task
        for task in names.task
    )
    return msgspec.structs.replace(names, task=tasks)


@contextmanager
def _stored(captures: Iterable[Path]) -> Iterator[Reader]:
    with tempfile.TemporaryDirectory() as folder, open_store(str(Path(folder, "made.sqlite")), create=True) as store:
        for path in captures:
            with CaptureReader(path) as capture:
                import_capture(store, capture, load_rules(), use_traceparent=False)
        yield store.reader()


if __name__ == "__main__":
    main()
