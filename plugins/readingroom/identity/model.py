"""Who is asking: an identity, its capabilities, and the request it came with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["user", "outside", "service", "anonymous"]

CAPABILITIES = frozenset(
    {
        "cases.read",
        "cases.admin",
        "index.run",
        "index.search",
        "share.create",
        "share.admin",
        "pacs.read",
        "imaging.read",
        "imaging.write",
        "audit.read",
        "users.admin",
        "orthanc.admin",
    }
)
"""Everything that a route can ask for."""

ROLES: dict[str, frozenset[str]] = {
    "admin": CAPABILITIES,
    "staff": frozenset({"index.run", "index.search", "share.create", "pacs.read", "cases.read"}),
    "student": frozenset({"cases.read"}),
    "clinician": frozenset({"imaging.read", "imaging.write"}),
}
"""Roles are named sets of capabilities; nothing but this table knows them."""

SERVICES: dict[str, frozenset[str]] = {
    "import": frozenset({"orthanc.admin", "cases.admin", "cases.read"}),
    "downloads": frozenset({"orthanc.admin"}),
    "index": frozenset({"orthanc.admin", "index.run"}),
}
"""Our own workers and what each may do when it calls back."""

PUBLIC = "public"
"""What a route declares that anybody may call."""

SIGNED_IN = "signed-in"
"""What a route declares that any valid identity may call."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody, or nobody."""

    user: str
    kind: Kind
    capabilities: frozenset[str] = frozenset()
    clinic: str | None = None
    roles: tuple[str, ...] = ()

    def can(self, capability: str) -> bool:
        """Whether this identity may do what needs that capability."""
        if capability == PUBLIC:
            return True
        return self.kind != "anonymous" if capability == SIGNED_IN else capability in self.capabilities


ANONYMOUS = Identity(user="", kind="anonymous")


@dataclass(frozen=True, slots=True)
class Caller:
    """An identity together with the request it came in: what an audit event is about."""

    identity: Identity
    request_id: str
    ip: str
    through_gateway: bool = False
