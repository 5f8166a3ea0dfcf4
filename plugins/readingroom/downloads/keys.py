"""The keys under which the gateway fetches a zip slice by slice."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from readingroom.downloads.plan import Plan
from readingroom.errors import TicketExpired, TokenExpired
from readingroom.identity import Identity, TokenSigner
from readingroom.identity.model import Kind

ZIP = "zip"


@dataclass(frozen=True, slots=True)
class Grant:
    """A download that somebody was granted: what, in which version, for whom; `id` tells it from all others."""

    id: str
    owner: str
    claims: Mapping[str, Any]
    etag: str
    reader: Identity


class Keys:
    """Signs and reads keys. A download that was begun goes on, resumes included, for `to_finish`."""

    def __init__(self, signer: TokenSigner, to_finish: timedelta) -> None:
        self._signer = signer
        self._to_finish = to_finish

    def key(self, plan: Plan, reader: Identity) -> tuple[str, str]:
        """What the gateway shows with each slice of this download, and the download's id."""
        download = str(uuid.uuid4())
        claims = {"jti": download, "owner": plan.owner, "plan": plan.claims, "etag": plan.layout.etag}
        return self._signer.sign(ZIP, {**claims, **reader_claims(reader)}, self._to_finish), download

    def unlock(self, token: str) -> Grant:
        """The download that a key belongs to. Raises TicketExpired, Unauthenticated."""
        try:
            claims = self._signer.read(ZIP, token)
        except TokenExpired:
            raise expired() from None
        return Grant(claims["jti"], claims["owner"], claims["plan"], claims["etag"], reader_of(claims))


def reader_claims(reader: Identity) -> dict[str, Any]:
    """Who reads, to be signed: enough to name them in the audit trail, and no capability."""
    return {"sub": reader.user, "kind": reader.kind, "clinic": reader.clinic}


def reader_of(claims: Mapping[str, Any]) -> Identity:
    """Who reads, from claims that we signed."""
    return Identity(user=claims["sub"], kind=cast(Kind, claims["kind"]), clinic=claims["clinic"])


def expired() -> TicketExpired:
    """What a link past its end is answered."""
    return TicketExpired("This download link has expired: ask for a new one.")
