"""The hook that carries the OpenTelemetry context: what it carries, what it leaves alone. Each in its own Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[3] / "collectors" / "oslo-tap" / "src"
BEGIN = """
import sys, rpcscope_oslo_tap.carry
rpcscope_oslo_tap.carry.on()
rpcscope_oslo_tap.carry.on()
"""
TRACED = f"""
{BEGIN}
import threading
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider(shutdown_on_exit=False))
tracer = trace.get_tracer("oslo.messaging")
here = lambda: trace.get_current_span().get_span_context().span_id
"""
EXECUTORS = ["concurrent.futures", "futurist"]


def python(code: str) -> str:
    """What the code prints, in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, env={"PYTHONPATH": str(SOURCE)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_switching_it_on_imports_nothing_that_a_service_may_not_have() -> None:
    wanted = ("futurist", "eventlet", "opentelemetry", "concurrent.futures", "oslo_messaging")
    assert python(f"{BEGIN}\nprint([name for name in {wanted} if name in sys.modules])") == "[]"


@pytest.mark.parametrize("module", EXECUTORS)
def test_work_for_an_executor_runs_in_the_span_that_gave_it(module: str) -> None:
    code = f"""
{TRACED}
from {module} import ThreadPoolExecutor
with ThreadPoolExecutor(1) as pool, tracer.start_as_current_span("a") as span:
    print(pool.submit(here).result() == span.get_span_context().span_id)
"""
    assert python(code) == "True"


@pytest.mark.parametrize("module", EXECUTORS)
def test_a_worker_keeps_nothing_of_the_span_in_which_it_was_started(module: str) -> None:
    code = f"""
{TRACED}
from {module} import ThreadPoolExecutor
with ThreadPoolExecutor(1) as pool:
    with tracer.start_as_current_span("a"):
        pool.submit(here).result()
    print(pool.submit(here).result())
"""
    assert python(code) == "0"


def test_a_thread_runs_in_the_span_that_started_it_and_its_own_subclass_too() -> None:
    code = f"""
{TRACED}
seen = []
class Own(threading.Thread):
    def run(self):
        seen.append(here())
with tracer.start_as_current_span("a") as span:
    for thread in (threading.Thread(target=lambda: seen.append(here())), Own()):
        thread.start()
        thread.join()
print(seen == [span.get_span_context().span_id] * 2)
"""
    assert python(code) == "True"


def test_results_and_exceptions_come_through_as_they_were() -> None:
    code = f"""
{TRACED}
from concurrent.futures import ThreadPoolExecutor
from functools import partial
with ThreadPoolExecutor(1) as pool, tracer.start_as_current_span("a"):
    print(pool.submit(partial(int, "7")).result(), repr(pool.submit(int, "x").exception())[:10])
"""
    assert python(code) == "7 ValueError"


def test_without_opentelemetry_nothing_is_changed() -> None:
    code = f"""
{BEGIN}
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(1) as pool:
    print(pool.submit(int, "7").result(), "opentelemetry" in sys.modules)
"""
    assert python(code) == "7 False"


def test_oslo_messagings_tracing_finds_its_exporter() -> None:
    code = f"""
{BEGIN}
import oslo_messaging._tracing.client
print("opentelemetry.exporter.otlp.proto.http.trace_exporter" in sys.modules)
"""
    assert python(code) == "True"
