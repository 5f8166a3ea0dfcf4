"""Accounts, passwords, tokens and capabilities; who may do what."""

from readingroom.identity.model import ANONYMOUS, CAPABILITIES, PUBLIC, ROLES, SIGNED_IN, Caller, Identity

__all__ = ["ANONYMOUS", "CAPABILITIES", "PUBLIC", "ROLES", "SIGNED_IN", "Caller", "Identity"]
