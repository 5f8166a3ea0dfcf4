"""Puts the parts of identity together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from readingroom.audit import Trail
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import SettingsError
from readingroom.identity.accounts import Accounts
from readingroom.identity.authenticate import Authenticator
from readingroom.identity.dicomweb_cookie import DicomwebCookies
from readingroom.identity.jwks import Jwks
from readingroom.identity.outside import Issuer, Keys, Secret
from readingroom.identity.passwords import Passwords
from readingroom.identity.sessions import Sessions
from readingroom.identity.share_cookies import ShareCookies
from readingroom.identity.sign_in import SignIn
from readingroom.identity.standing import Standings
from readingroom.identity.throttle import Throttle
from readingroom.identity.tokens import ALGORITHM, TokenSigner
from readingroom.settings import MIN_SECRET_BYTES, Settings


@dataclass(frozen=True, slots=True)
class IdentityParts:
    """What the application takes from here."""

    signer: TokenSigner
    authenticator: Authenticator
    accounts: Accounts
    sessions: Sessions
    sign_in: SignIn
    share_cookies: ShareCookies
    dicomweb_cookies: DicomwebCookies


def build(settings: Settings, database: Database, trail: Trail, clock: Clock) -> IdentityParts:
    """All parts, as the settings say. Raises SettingsError naming what does not fit."""
    signer = token_signer(settings, clock)
    standings = Standings(database, clock)
    passwords = Passwords()
    sign_in = SignIn(database, passwords, Throttle(clock), trail, clock)
    authenticator = Authenticator(
        signer=signer,
        issuers=issuers(settings, clock),
        trusted_roles=settings.jwt_trusted_roles,
        standings=standings,
        sign_in=sign_in,
        trail=trail,
        clock=clock,
    )
    sessions = Sessions(
        database=database,
        signer=signer,
        standings=standings,
        trail=trail,
        clock=clock,
        access_for=timedelta(minutes=settings.access_minutes),
        refresh_for=timedelta(days=settings.refresh_days),
    )
    accounts = Accounts(database, passwords, standings, trail, clock)
    cookies = DicomwebCookies(signer, standings, clock)
    return IdentityParts(signer, authenticator, accounts, sessions, sign_in, ShareCookies(signer), cookies)


def token_signer(settings: Settings, clock: Clock) -> TokenSigner:
    """The signer alone: all that a worker needs."""
    return TokenSigner(settings.jwt_secret.get_secret_value(), settings.jwt_issuer, settings.jwt_audience, clock)


def issuers(settings: Settings, clock: Clock) -> list[Issuer]:
    """Whose tokens are accepted beside our own.

    A site's own programs may hold JWT_SECRET too (it is the one that Hasura knows): tokens that they sign
    with it speak for outside identities, and grants decide.
    """
    secret = settings.jwt_secret.get_secret_value()
    found = [Issuer(settings.jwt_issuer, settings.jwt_audience, ALGORITHM, Secret(secret), clock)]
    if settings.jwt_outside_issuer:
        algorithm = settings.jwt_outside_algorithm
        outside = Issuer(
            settings.jwt_outside_issuer,
            settings.jwt_outside_audience,
            algorithm,
            _keys(settings, clock),
            clock,
        )
        found.append(outside)
    elif settings.jwt_jwks_url or settings.jwt_outside_secret.get_secret_value():
        raise SettingsError("JWT_OUTSIDE_ISSUER is not set, though keys of an outside issuer are")
    return found


def _keys(settings: Settings, clock: Clock) -> Keys:
    if settings.jwt_outside_algorithm != "HS256":
        if not settings.jwt_jwks_url:
            raise SettingsError(f"JWT_JWKS_URL is not set: {settings.jwt_outside_algorithm} tokens need it")
        return Jwks(settings.jwt_jwks_url, settings.jwt_outside_algorithm, clock)
    secret = settings.jwt_outside_secret.get_secret_value()
    if len(secret.encode()) < MIN_SECRET_BYTES:
        raise SettingsError(f"JWT_OUTSIDE_SECRET is not set or shorter than {MIN_SECRET_BYTES} bytes")
    return Secret(secret)
