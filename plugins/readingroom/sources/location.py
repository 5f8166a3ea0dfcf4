"""Reads where a source is: a folder, `sftp://user@host:port/path`, `smb://user@host/share/path`, UNC."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

from readingroom.errors import BadRequest

DEFAULT_PORTS = {"sftp": 22, "smb": 445}


@dataclass(frozen=True)
class Location:
    """Where a source is. `url` never holds a password; one that was typed into it is kept apart, unseen."""

    scheme: Literal["file", "sftp", "smb"]
    path: str
    """Absolute for a folder and for SFTP (`~/…` starts at the account's home); below the share for SMB."""
    host: str = ""
    port: int = 0
    user: str = ""
    domain: str = ""
    share: str = ""
    password: str = field(default="", repr=False, compare=False)

    @property
    def url(self) -> str:
        """The location as text that may be stored and shown; a folder is its plain path."""
        if self.scheme == "file":
            return self.path
        user = quote(f"{self.domain};{self.user}" if self.domain else self.user, safe=";")
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        path = f"{self.share}/{self.path}".strip("/") if self.scheme == "smb" else self.path.lstrip("/")
        return f"{self.scheme}://{user}{'@' if user else ''}{host}{port}/{quote(path, errors='surrogateescape')}"


def parse_location(text: str) -> Location:
    """Read a location as a person types it.

    Raises BadRequest with what is wrong with it; the message never repeats the user part.
    """
    text = text.strip()
    if not text:
        raise BadRequest("No source is given: name a folder, sftp://… or smb://…")
    if text.startswith("\\\\"):
        text = "smb:" + text.replace("\\", "/")
    scheme, found, rest = text.partition("://")
    if "\0" in (unquote(rest) if found else text):
        raise BadRequest("The path of a source cannot hold the character NUL")
    if not found:
        try:
            return Location(scheme="file", path=str(Path(text).expanduser().absolute()))
        except RuntimeError:
            raise BadRequest("There is no such account of this machine whose folder that could be") from None
    scheme = scheme.lower()
    if scheme == "file":
        return Location(scheme="file", path=unquote("/" + rest.partition("/")[2], errors="surrogateescape"))
    if scheme not in DEFAULT_PORTS:
        raise BadRequest(f"Sources of the kind {scheme!r} are not known; use a folder, sftp:// or smb://")
    return _remote(scheme, rest)


def lies_in(wanted: Location, root: Location) -> bool:
    """Whether a location is another one or lies below it, on the same host and for the same account; links followed."""
    if (wanted.scheme, wanted.host, wanted.port, wanted.share) != (root.scheme, root.host, root.port, root.share):
        return False
    if (wanted.user, wanted.domain) != (root.user, root.domain):
        return False
    inner, outer = wanted.path, root.path
    if wanted.scheme == "file":
        inner, outer = os.path.realpath(inner), os.path.realpath(outer)
    outer = outer.rstrip("/")
    return inner.rstrip("/") == outer or inner.startswith(f"{outer}/")


def _remote(scheme: str, rest: str) -> Location:
    # Only the authority is parsed as a URL: `#` and `?` are ordinary characters of a file name.
    authority, _, raw_path = rest.partition("/")
    try:
        parts = urlsplit(f"//{authority}")
        port = parts.port or DEFAULT_PORTS[scheme]
        host = parts.hostname or ""
    except ValueError:
        raise BadRequest(f"The host or port of that {scheme}:// address makes no sense") from None
    if not host:
        raise BadRequest(f"That {scheme}:// address names no host")
    path = unquote(raw_path, errors="surrogateescape").strip("/")
    if ".." in path.split("/"):
        raise BadRequest("The path of a source cannot hold `..`")
    user = unquote(parts.username or "")
    password = unquote(parts.password or "")
    if scheme == "sftp":
        home = path == "~" or path.startswith("~/")
        return Location("sftp", path if home else "/" + path, host, port, user, password=password)
    share, _, below = path.partition("/")
    if not share:
        raise BadRequest("An smb:// address needs a share: smb://host/share/path")
    domain, parted, name = user.rpartition(";")
    return Location("smb", below, host, port, name if parted else user, domain, share, password)
