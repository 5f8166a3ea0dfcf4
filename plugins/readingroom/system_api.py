"""Routes about the service itself: health, and the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Literal

from flask import Response
from pydantic import Field
from sqlalchemy import text

from readingroom import __version__
from readingroom.db import Database
from readingroom.identity import PUBLIC
from readingroom.objects import Backend
from readingroom.routing import Answer, Area, json_answer


class Health(Answer):
    """Whether requests can be answered."""

    ok: bool
    version: str
    database: Literal["sqlite", "postgresql"]
    backend: Backend = Field(description="Where clinics' pictures and documents are stored")
    storage: str = Field(description="`ok`, or what is wrong with that store; the rest works without it")


def routes(
    database: Database, backend: Backend, storage: Callable[[], str | None], openapi: Callable[[], dict[str, Any]]
) -> Area:
    """Health and self-description; `storage` tells what is wrong with the store, if anything is."""
    area = Area("system", "Service")

    @area.get("/health", capability=PUBLIC, answer=Health, errors=(503,))
    def health() -> Response:
        """Whether the service and its database answer; 503 when the database does not."""
        kind: Literal["sqlite", "postgresql"] = "postgresql" if database.is_postgresql else "sqlite"
        try:
            with database.read() as connection:
                connection.scalar(text("SELECT 1"))
            ok = True
        except Exception:  # whatever the driver raises: the answer is the same
            ok = False
        said = Health(ok=ok, version=__version__, database=kind, backend=backend, storage=storage() or "ok")
        return json_answer(said, 200 if ok else 503)

    @area.get("/api/openapi.json", capability=PUBLIC)
    def document() -> Response:
        """This document."""
        return Response(json.dumps(openapi()), mimetype="application/json")

    return area
