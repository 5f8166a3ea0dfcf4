"""Accounts, passwords, tokens and capabilities; who may do what."""

from readingroom.identity.access import Access
from readingroom.identity.authenticate import Authenticator
from readingroom.identity.dicomweb_cookie import DicomwebCookies
from readingroom.identity.model import (
    ANONYMOUS,
    CAPABILITIES,
    PUBLIC,
    ROLES,
    SHARED,
    SIGNED_IN,
    Caller,
    Identity,
    SharedSeries,
    any_of,
    or_shared,
)
from readingroom.identity.parts import IdentityParts, build, token_signer
from readingroom.identity.share_cookies import ShareCookies, Visit
from readingroom.identity.tokens import TokenSigner

__all__ = [
    "ANONYMOUS",
    "CAPABILITIES",
    "PUBLIC",
    "ROLES",
    "SHARED",
    "SIGNED_IN",
    "Access",
    "Authenticator",
    "Caller",
    "DicomwebCookies",
    "Identity",
    "IdentityParts",
    "ShareCookies",
    "SharedSeries",
    "TokenSigner",
    "Visit",
    "any_of",
    "build",
    "or_shared",
    "token_signer",
]
