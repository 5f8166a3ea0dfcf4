"""Accounts, passwords, tokens and capabilities; who may do what.

The model comes first: the audit trail, which the other parts write to, knows it too.
"""

from readingroom.identity.model import ANONYMOUS, CAPABILITIES, PUBLIC, ROLES, SIGNED_IN, Caller, Identity  # isort: split

from readingroom.identity.access import Access
from readingroom.identity.authenticate import Authenticator
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
