"""Who is behind a request, asked again while its answer goes out: accounts are shut meanwhile, links revoked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from readingroom.errors import TokenExpired
from readingroom.identity.authenticate import Authenticator
from readingroom.identity.model import Identity
from readingroom.identity.share_cookies import ShareCookies


class Again:
    """Knows callers a second time by what their request brought; what is remembered of them is 5 s old at most."""

    def __init__(self, authenticator: Authenticator, share_cookies: ShareCookies) -> None:
        self._authenticator = authenticator
        self._share_cookies = share_cookies

    def identity(self, first: Identity, authorization: str | None, cookies: Mapping[str, str]) -> Identity:
        """Who they are now; `first` is who they were. A token that ran out meanwhile lets an answer end.

        Raises Unauthenticated where the account or the session is no more.
        """
        found = first
        if authorization:
            try:
                found = self._authenticator.identify(authorization)
            except TokenExpired:
                found = first
        if first.shares:
            by_link = self._share_cookies.identity(cookies)
            found = replace(found, shares=by_link.shares) if found.kind != "share" else by_link
        return found
