"""Who is let in by a link: one question, one refusal, the same work whatever the reason.

A refusal looks into `shares` once and into `share_download` once. Where a passcode was shown it also counts a try and
verifies one Argon2id hash: of the link, or of nothing. So unknown, expired, revoked, used up, shut, locked and wrong
cost the same; `tests/bench/share_timing.py` measures it. A right passcode that comes while the link is locked is
verified and refused.

The landing and `info` of a link that is locked for some seconds still answer its holder: they take no passcode, and
whoever holds the link knows of it already. A link that was guessed at too often (`rules.SHUT_AFTER`) answers nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from readingroom.clock import Clock
from readingroom.errors import NotFound, TooManyRequests
from readingroom.identity import Caller, Identity, ShareCookies, Visit
from readingroom.identity.lately import Lately
from readingroom.identity.passwords import Passwords
from readingroom.identity.share_cookies import actor
from readingroom.metrics import Metrics
from readingroom.shares.access_log import AccessLog
from readingroom.shares.attempts import Attempts
from readingroom.shares.counting import Downloads
from readingroom.shares.links import Links, hashed
from readingroom.shares.rules import Link

RIGHT_SECONDS = 60.0
"""How long a passcode that was right is taken to be so: a script shows it with each of 500 files."""

NO_LINK = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that comes by a link."""

    handle: str  # a token, or a link's id beside its cookie
    caller: Caller
    agent: str
    cookies: Mapping[str, str]
    passcode: str | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who was let in; `unlocked` when no passcode is needed, or it was shown."""

    link: Link
    asked: Asked
    visit: Visit | None
    unlocked: bool
    shown: bool  # the right passcode came with this request

    @property
    def reader(self) -> str:
        """Who counts as one reader of downloads."""
        return reader_of(self.asked, self.visit)

    @property
    def caller(self) -> Caller:
        """The request as the audit trail tells it: by this link."""
        asked = self.asked.caller
        return Caller(identity_of(self.link), asked.request_id, asked.ip, asked.through_gateway)


class Admission:
    """Answers every request that comes by a link."""

    def __init__(
        self, links: Links, cookies: ShareCookies, attempts: Attempts, passwords: Passwords, downloads: Downloads,
        log: AccessLog, metrics: Metrics, clock: Clock,
    ) -> None:  # fmt: skip
        self._links = links
        self._cookies = cookies
        self._attempts = attempts
        self._passwords = passwords
        self._downloads = downloads
        self._log = log
        self._metrics = metrics
        self._clock = clock
        self._right = Lately[bytes, bool](RIGHT_SECONDS, 1024, clock)
        self._digest_key = secrets.token_bytes(32)

    def admit(self, asked: Asked, *, locked_too: bool = False, finishing: bool = False) -> Holder:
        """Let somebody in; with `locked_too` also who has yet to show a passcode.

        Who began a download gets in although there are none left. With `finishing` a browser that showed the passcode
        and began one also needs none again: its cookie must say so itself, for a visit's cookie from before the
        passcode may be known to whoever handed the link on. A program is known by its address and name alone, which
        others behind that address may have too: it shows the passcode each time. Raises NotFound, always the same.
        """
        link, visit = self._found(asked)
        now = self._clock.now()
        begun = self._downloads.has_begun(link.id if link else NO_LINK, reader_of(asked, visit))
        opens = link is not None and (link.opens(now) or (begun and link.stands(now)))
        was_unlocked = visit is not None and visit.unlocked_until is not None
        unlocked = link is not None and opens and self._is_unlocked(link, visit, begun and finishing and was_unlocked)
        shown = False
        if not unlocked and asked.passcode is not None:
            unlocked = shown = self._try(link, opens, asked.passcode, asked.caller.ip)
        if link is None or not opens or not (unlocked or (locked_too and not link.is_shut)):
            self.refuse(asked, link)
        return Holder(link, asked, visit, unlocked, shown)

    def refuse(self, asked: Asked, link: Link | None) -> NoReturn:
        """The one refusal. Raises NotFound."""
        self._metrics.add("share_refusals_total")
        self._log.note(link.id if link else NO_LINK, "refused", asked.caller, asked.agent, success=False)
        raise NotFound("This link is not valid, or no longer.")

    def _found(self, asked: Asked) -> tuple[Link | None, Visit | None]:
        visit = self._cookies.visit(asked.handle, asked.cookies)
        if visit is not None:
            return self._links.find(visit.link), visit
        link = self._links.by_token(asked.handle)
        return link, self._cookies.visit(link.id if link else hashed(asked.handle), asked.cookies)

    def _is_unlocked(self, link: Link, visit: Visit | None, is_finishing: bool) -> bool:
        return link.password_hash is None or is_finishing or (visit is not None and visit.unlocked(self._clock.now()))

    def _try(self, link: Link | None, opens: bool, passcode: str, ip: str) -> bool:
        stored = link.password_hash if link else None
        digest = hmac.digest(self._digest_key, f"{stored}:{passcode}".encode("utf-8", "replace"), hashlib.sha256)
        lock = link.locked_until if link else None
        if link is not None and opens and self._right.get(digest) and (lock is None or lock <= self._clock.now()):
            return True
        link_id = link.id if link else NO_LINK
        allowed = self._attempts.begin(link_id, ip)
        try:
            right = self._passwords.fits(stored, passcode)
        except TooManyRequests:
            self._attempts.take_back(link_id, ip, counted=allowed)
            raise
        if link is None or not (opens and allowed and right):
            return False
        self._attempts.forgive(link.id, ip)
        return self._right.keep(digest, True)


def reader_of(asked: Asked, visit: Visit | None) -> str:
    """The visit, or what stands for a program without cookies: its address and its name for itself."""
    return visit.id if visit else hashed(f"{asked.caller.ip}\n{asked.agent}")


def identity_of(link: Link) -> Identity:
    """A link's holder, who can do nothing by capability."""
    return Identity(actor(link.id), "share")
