"""Who is asking: an identity, its capabilities, and the request it came with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["user", "outside", "service", "share", "anonymous"]

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

SHARED = "shared"
"""What a route declares that whoever holds a link to its series may call; see `or_shared`."""

OR: Final = " or "


def any_of(*capabilities: str) -> str:
    """What a route declares that is open to whoever has one of these capabilities."""
    return OR.join(capabilities)


def or_shared(capability: str) -> str:
    """What a route declares that is open to a capability, and to a link's holder for that link's series alone.

    The door lets both in; the route then asks `Identity.sees_series` of the series that it is about.
    """
    return any_of(capability, SHARED)


def is_shared(capability: str) -> bool:
    """Whether a link's holder may call what declares this."""
    return SHARED in capability.split(OR)


@dataclass(frozen=True, slots=True)
class SharedSeries:
    """What one link gives: its own id, and the UIDs of the one series and of the study that it belongs to."""

    link: str
    series_uid: str
    study_uid: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody, or nobody. A browser that holds several links is one identity with several `shares`."""

    user: str
    kind: Kind
    capabilities: frozenset[str] = frozenset()
    clinic: str | None = None
    roles: tuple[str, ...] = ()
    shares: tuple[SharedSeries, ...] = ()

    def can(self, capability: str) -> bool:
        """Whether this identity may do what needs that capability.

        A link's holder can do nothing but what says `shared`, and what is public.
        """
        if capability == PUBLIC:
            return True
        if self.kind == "share":
            return is_shared(capability)
        needed = capability.split(OR)
        return (SIGNED_IN in needed and self.kind != "anonymous") or not self.capabilities.isdisjoint(needed)

    @property
    def series(self) -> frozenset[str]:
        """UIDs of the series that links give this identity."""
        return frozenset(each.series_uid for each in self.shares)

    def sees_series(self, series_uid: str) -> bool:
        """Whether a route that says `shared` is open to this identity for that series."""
        return self.kind != "share" or series_uid in self.series


ANONYMOUS = Identity(user="", kind="anonymous")


@dataclass(frozen=True, slots=True)
class Caller:
    """An identity together with the request it came in: what an audit event is about."""

    identity: Identity
    request_id: str
    ip: str
    through_gateway: bool = False
