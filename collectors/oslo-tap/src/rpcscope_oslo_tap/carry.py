"""Keeps the traces of a service whole: the OpenTelemetry context goes along where work is handed to another thread.

oslo.messaging's own tracing (18.3 and later) loses it there: one boot of nova becomes 13 traces. Switched on by a line
in a `.pth` file of the service's environment, for it has to be there before the service hands anything over:

    import rpcscope_oslo_tap.carry; rpcscope_oslo_tap.carry.on()

It imports neither futurist nor eventlet nor OpenTelemetry (nova 34 refuses to start where eventlet was imported): it
wraps what they offer when the service imports them. It also imports the exporter that 18.3.1 forgets to import, when
oslo.messaging's tracing is. What fails here leaves the service as it was.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.machinery
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    _Call = Callable[..., Any]

_TRACING = "oslo_messaging._tracing.client"
_EXPORTER = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
_OWN_LIFE = ("concurrent.futures", "futurist", "oslo_messaging", "oslo_service", "kombu", "amqp", "opentelemetry")
"""Whose threads live longer than what happened when they were started, or take work that brings its own context."""

_MARK = "_rpcscope_carries"


def on() -> None:
    """Begin. More than once does no harm."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    for name in _WRAPPERS:
        module = sys.modules.get(name)
        if module is not None:
            _wrap(name, module)


class _Finder:
    """Lets others find a module, and wraps what it offers once it is there."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in _WRAPPERS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: Any) -> None:
            execute(module)
            _wrap(name, module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _wrap(name: str, module: Any) -> None:
    with contextlib.suppress(Exception):  # a service is never harmed by what watches it
        _WRAPPERS[name](module)


# ---------------------------------------------------------------- what is carried


def _carried(function: _Call) -> _Call:
    """The function as it is to run elsewhere: in the context of here, also where that is none."""
    context = sys.modules.get("opentelemetry.context")
    trace = sys.modules.get("opentelemetry.trace")
    if context is None or trace is None:
        return function
    here = context.get_current() if trace.get_current_span().get_span_context().is_valid else context.Context()

    def there(*args: Any, **kwargs: Any) -> Any:
        token = context.attach(here)
        try:
            return function(*args, **kwargs)
        finally:
            context.detach(token)

    return there


def _replace(owner: Any, name: str, make: Callable[[_Call], _Call]) -> None:
    original = getattr(owner, name)
    if getattr(original, _MARK, False):
        return
    wrapped = functools.wraps(original)(make(original))
    setattr(wrapped, _MARK, True)
    setattr(owner, name, wrapped)


def _submitting(original: _Call) -> _Call:
    def submit(self: Any, function: _Call, *args: Any, **kwargs: Any) -> Any:
        return original(self, _carried(function), *args, **kwargs)

    return submit


def _spawning(original: _Call) -> _Call:
    def spawn(function: _Call, *args: Any, **kwargs: Any) -> Any:
        return original(_carried(function), *args, **kwargs)

    return spawn


def _starting(original: _Call) -> _Call:
    def start(self: Any) -> Any:
        target = getattr(self, "_target", None)
        whose = "{} {}".format(type(self).__module__, getattr(target, "__module__", None) or "")
        if not any(part.startswith(_OWN_LIFE) for part in whose.split()):
            self.run = _carried(self.run)
        return original(self)

    return start


# ---------------------------------------------------------------- where


def _executors(*names: str) -> Callable[[Any], None]:
    def wrap(module: Any) -> None:
        for name in names:
            executor = getattr(module, name, None)
            if executor is not None:
                _replace(executor, "submit", _submitting)

    return wrap


def _functions(*names: str) -> Callable[[Any], None]:
    def wrap(module: Any) -> None:
        for name in names:
            _replace(module, name, _spawning)

    return wrap


def _threads(module: Any) -> None:
    _replace(module.Thread, "start", _starting)


def _exporter(module: Any) -> None:
    """18.3.1 names the exporter's submodule and never imports it, so no span ever leaves the service."""
    importlib.import_module(_EXPORTER)


_WRAPPERS: dict[str, Callable[[Any], None]] = {
    "threading": _threads,
    "concurrent.futures.thread": _executors("ThreadPoolExecutor"),
    "futurist._futures": _executors("ThreadPoolExecutor", "GreenThreadPoolExecutor"),
    "eventlet.greenthread": _functions("spawn", "spawn_n"),
    _TRACING: _exporter,
}
