"""Password hashes: Argon2id, few at a time, the same time for everybody."""

from __future__ import annotations

import base64
import os
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from readingroom.errors import BadRequest, TooManyRequests

MIN_LENGTH = 12
"""Characters. NIST SP 800-63B-4 section 3.1.1.2 asks for 15 where nothing else protects, 8 beside a second
factor."""

MAX_LENGTH = 256
"""Characters; long enough for any sentence, short enough to be no load."""

MIN_DIFFERENT = 5
"""Different characters that a password needs, so that `aaaaaaaaaaaa` is none."""

TIME_COST = 3
MEMORY_KIB = 65536
LANES = 4
"""RFC 9106 section 4, the choice for where memory is short: 64 MiB and about 0.1 s a hash."""

AT_ONCE = 2
"""Hashes computed at a time."""

MAX_WAITING = 12
"""Who waits for a hash beyond that; they hold one of Orthanc's 50 threads each."""

WAIT_SECONDS = 10.0


class Passwords:
    """Makes and checks password hashes."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = MAX_WAITING) -> None:
        self._hasher = PasswordHasher(TIME_COST, MEMORY_KIB, LANES)
        self._running = BoundedSemaphore(at_once)
        self._places = BoundedSemaphore(at_once + waiting)
        self._nobodys = self._hash_of_nothing()

    def hash(self, password: str) -> str:
        """The Argon2id hash of a password, in PHC form. Raises TooManyRequests."""
        with self._turn():
            return self._hasher.hash(folded(password))

    def fits(self, stored: str | None, password: str) -> bool:
        """Whether the password is the one behind a stored hash; takes as long when there is none.

        Raises TooManyRequests when too many sign-ins are being checked already.
        """
        if len(password) > MAX_LENGTH:
            password = ""  # cannot be right; costs the same all the same
        with self._turn():
            try:
                right = self._hasher.verify(stored or self._nobodys, folded(password))
            except (VerificationError, InvalidHashError):
                return False
        return right and stored is not None

    def is_dated(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise TooManyRequests("Many people are signing in at this moment; try again shortly.", retry_after=2)
        try:
            if not self._running.acquire(timeout=WAIT_SECONDS):
                raise TooManyRequests("Many people are signing in at this moment; try again shortly.", retry_after=5)
            try:
                yield
            finally:
                self._running.release()
        finally:
            self._places.release()

    def _hash_of_nothing(self) -> str:
        # Random bytes in the form of a hash: checking against them costs what a real one costs, and nothing
        # fits.
        h = self._hasher
        salt, digest = (base64.b64encode(os.urandom(n)).decode().rstrip("=") for n in (h.salt_len, h.hash_len))
        return f"$argon2id$v=19$m={h.memory_cost},t={h.time_cost},p={h.parallelism}${salt}${digest}"


def folded(password: str) -> str:
    """The one form of a password that keyboards write in several (NIST SP 800-63B-4 section 3.1.1.2: NFKC)."""
    return unicodedata.normalize("NFKC", password)


def check_new(password: str, name: str) -> None:
    """Raises BadRequest, saying what to change, unless the password may be set for that account."""
    if len(password) < MIN_LENGTH:
        raise BadRequest(f"A password has at least {MIN_LENGTH} characters; a short sentence is a good one.")
    if len(password) > MAX_LENGTH:
        raise BadRequest(f"A password has at most {MAX_LENGTH} characters.")
    if len(set(password)) < MIN_DIFFERENT:
        raise BadRequest(f"A password has at least {MIN_DIFFERENT} different characters.")
    if len(name) > 2 and name.casefold() in password.casefold() and len(password) < MIN_LENGTH + len(name):
        raise BadRequest("This password is little more than the account's name.")
    if any(unicodedata.category(c) == "Cc" for c in password):
        raise BadRequest("A password has no control characters.")
