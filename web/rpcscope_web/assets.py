"""Scripts and styles, under an address that changes with them; plotly.js from the installed package."""

from __future__ import annotations

import gzip
import importlib.util
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from rpcscope.errors import RpcscopeError

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".ico": "image/x-icon"}
_FOR_EVER = "public, max-age=31536000, immutable"
PLOTLY = "plotly.min.js"


class Assets:
    """The files of `static`, read once: they are few and small."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        self._files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix in _TYPES}
        digest = blake2b(digest_size=6)
        for name, content in self._files.items():
            digest.update(name.encode() + b"\0" + content)
        digest.update(str(_plotly().stat().st_size).encode())
        self.version = digest.hexdigest()

    @property
    def base(self) -> str:
        """Where the files are, with a slash at the end."""
        return f"/static/{self.version}/"

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return name in self._files

    def response(self, name: str, *, packed: bool) -> Response:
        """One file. Raises 404 for a name that is not known."""
        headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
        if name == PLOTLY:
            packing = {"Content-Encoding": "gzip"} if packed else {}
            content = self._packed_plotly if packed else _plotly().read_bytes()
            return Response(content, media_type="text/javascript", headers=headers | packing)
        if name not in self._files:
            raise HTTPException(404, "there is no such file: reload the page")
        return Response(self._files[name], media_type=_TYPES[Path(name).suffix], headers=headers)

    @cached_property
    def _packed_plotly(self) -> bytes:
        """A third of its size; made when the first chart is looked at."""
        return gzip.compress(_plotly().read_bytes(), 6)


def _plotly() -> Path:
    """plotly.js in the installed package, which is not imported for it."""
    found = importlib.util.find_spec("plotly")
    if found is None or not found.submodule_search_locations:
        raise RpcscopeError("plotly is not installed: install rpcscope with all that it depends on")
    return Path(found.submodule_search_locations[0]) / "package_data" / PLOTLY


router = APIRouter(include_in_schema=False)


@router.get("/static/{version}/{name}")
def static(request: Request, version: str, name: str) -> Response:
    """A file; of another version too, for pages that were open while rpcscope was replaced."""
    packed = "gzip" in request.headers.get("accept-encoding", "")
    assets: Assets = request.app.state.site.assets
    response = assets.response(name, packed=packed)
    if version != assets.version:
        response.headers["Cache-Control"] = "no-cache"
    return response


@router.get("/favicon.ico")
def favicon(request: Request) -> Response:
    """The picture beside the title."""
    assets: Assets = request.app.state.site.assets
    return assets.response("icon.svg", packed=False)
