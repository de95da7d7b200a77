"""GET /openapi.json and /docs: what can be asked here, for programs and for people."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from flask import Blueprint, Response, current_app, redirect, request, url_for
from flask.blueprints import BlueprintSetupState
from werkzeug.wrappers import Response as BaseResponse

from app.access.gate import Gate
from app.documentation.docs_page import STYLE_HASH, documentation_page
from app.documentation.openapi import openapi_document
from app.json_provider import dumps
from app.store import Champion, ModelStore

docs = Blueprint("docs", __name__, template_folder="templates")

_KEY = "fraudscore.docs"
# The page is one document with one style sheet inside; nothing else may load, run or frame it.
_PAGE_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True)
class Documentation:
    """The document and the page of one artifact, below one mount path."""

    sha256: str
    mount_path: str
    document: bytes
    page: str


class DocumentationCache:
    """Keeps the documentation of the champion until another takes its place."""

    def __init__(self) -> None:
        self._current: Documentation | None = None

    def of(
        self,
        champion: Champion,
        routes: Collection[str],
        keyed: Collection[str],
        mount_path: str = "",
    ) -> Documentation:
        """Return the documentation of a champion; two threads may at worst both write it."""
        current = self._current
        # Known by its checksum: a reference to the champion would keep a replaced model in memory.
        known = (champion.artifact.sha256, mount_path)
        if current is None or (current.sha256, current.mount_path) != known:
            document = openapi_document(champion, routes, keyed, mount_path)
            page = documentation_page(document)
            current = self._current = Documentation(*known, dumps(document), page)
        return current


@docs.record
def _prepare(state: BlueprintSetupState) -> None:
    """Give each application a cache of its own."""
    state.app.extensions[_KEY] = DocumentationCache()


@docs.get("/openapi.json")
def document() -> Response:
    """Describe the service to programs."""
    return Response(_documentation().document, content_type="application/json")


@docs.get("/docs")
def page() -> Response:
    """Describe the service to people."""
    return Response(
        _documentation().page, headers=_PAGE_HEADERS, content_type="text/html; charset=utf-8"
    )


@docs.get("/")
def start() -> BaseResponse:
    """Lead whoever opens the bare address to the page, below the path the service is mounted at."""
    return redirect(url_for("docs.page"))


def _documentation() -> Documentation:
    """Return the documentation of the champion of this moment."""
    store: ModelStore = current_app.extensions["fraudscore"]
    cache: DocumentationCache = current_app.extensions[_KEY]
    gate: Gate | None = current_app.extensions["fraudscore.gate"]
    routes = {rule.rule for rule in current_app.url_map.iter_rules()}
    keyed = {route for route in routes if gate is not None and gate.needs_key(route)}
    return cache.of(store.current(), routes, keyed, request.script_root)
