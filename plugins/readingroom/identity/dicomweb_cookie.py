"""The cookie that OHIF reads DICOMweb with: given by a browser's session for some minutes, good for nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flask import Response

from readingroom.clock import Clock
from readingroom.errors import Unauthenticated
from readingroom.identity.model import ANONYMOUS, Identity
from readingroom.identity.standing import Standing, Standings
from readingroom.identity.tokens import TokenSigner

PURPOSE = "dicomweb"

NAME = "readingroom_dicomweb"

PATH = "/dicom-web"
"""A browser sends it nowhere else; the guard takes it nowhere else either."""

READING = frozenset({"pacs.read", "cases.read"})
"""All that it can carry of what its account may do."""

LIFETIME = timedelta(minutes=10)
"""OHIF's page asks for the next one before that; a copy of it is worth no more."""


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A session whose refresh token lies in a browser's cookie."""

    id: str
    who: Standing
    ends: datetime


class DicomwebCookies:
    """Signs and reads them. One ends by itself, with its session, and when its account is disabled."""

    def __init__(self, signer: TokenSigner, standings: Standings, clock: Clock) -> None:
        self._signer = signer
        self._standings = standings
        self._clock = clock

    def give(self, response: Response, session: BrowserSession, *, secure: bool) -> timedelta:
        """Put one into the browser; how long it is good."""
        now = self._clock.now()
        end = min(now + LIFETIME, session.ends)
        token = self._signer.sign_until(PURPOSE, {"sid": session.id, "ver": session.who.version}, end)
        response.set_cookie(
            NAME, token, expires=end, path=PATH, secure=secure, httponly=True, samesite="Strict"
        )  # fmt: skip
        return end - now

    def take(self, response: Response, *, secure: bool) -> None:
        """Take it out of the browser."""
        response.delete_cookie(NAME, path=PATH, secure=secure, httponly=True, samesite="Strict")

    def identity(self, cookies: Mapping[str, str], fetch_site: str | None = None) -> Identity:
        """Whose cookie it is, with what it may carry; nobody where it is missing, over, or sent for another site.

        `fetch_site` is the request's Sec-Fetch-Site, where the browser tells it (over TLS and on loopback).
        """
        if NAME not in cookies or (fetch_site or "same-origin") not in ("same-origin", "none"):
            return ANONYMOUS
        try:
            claims = self._signer.read(PURPOSE, cookies[NAME])
        except Unauthenticated:
            return ANONYMOUS
        who = self._standings.of_session(str(claims.get("sid")))
        if who is None or who.disabled or who.version != claims.get("ver"):
            return ANONYMOUS
        found = who.identity()
        return replace(found, capabilities=found.capabilities & READING)
