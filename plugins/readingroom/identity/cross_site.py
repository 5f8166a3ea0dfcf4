"""Whether a browser sends a request on behalf of another site's page (RFC 6454, RFC 9110 section 11.6)."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

DEFAULT_PORTS = {"http": 80, "https": 443}


class Origins:
    """The pages whose requests may change something: our own, and those that the site allows.

    A browser adds Basic credentials by itself to whatever any page sends us, but it also tells, in `Origin`,
    whose page it was. Programs that are no browsers send no Origin.
    """

    def __init__(self, allowed: Collection[str], public_url: str = "") -> None:
        self._allowed = frozenset(_origin(each) for each in (*allowed, public_url) if each)

    def forge(self, method: str, origin: str | None, host: str | None) -> bool:
        """Whether this is a change that a strange page asks for."""
        if method in SAFE or not origin:
            return False
        said = _origin(origin)
        return said not in self._allowed and (not said or said not in _of_host(host or ""))


def _origin(address: str) -> str:
    """Scheme, host and port, the port always named; '' for `null` and whatever is no origin."""
    try:
        parts = urlsplit(address.strip().lower())
        port = parts.port or DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port}" if parts.hostname else ""


def _of_host(host: str) -> set[str]:
    # Behind an outer proxy nobody here knows which scheme the browser used; the host is what tells sites apart.
    return {_origin(f"{scheme}://{host}") for scheme in DEFAULT_PORTS}
