"""Accounts, passwords, tokens and capabilities; who may do what."""

from readingroom.identity.access import Access
from readingroom.identity.authenticate import Authenticator
from readingroom.identity.model import ANONYMOUS, CAPABILITIES, PUBLIC, ROLES, SIGNED_IN, Caller, Identity
from readingroom.identity.parts import IdentityParts, build, token_signer
from readingroom.identity.tokens import TokenSigner

__all__ = [
    "ANONYMOUS",
    "CAPABILITIES",
    "PUBLIC",
    "ROLES",
    "SIGNED_IN",
    "Access",
    "Authenticator",
    "Caller",
    "Identity",
    "IdentityParts",
    "TokenSigner",
    "build",
    "token_signer",
]
