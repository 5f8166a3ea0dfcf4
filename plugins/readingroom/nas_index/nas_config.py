"""The sources that are configured: a JSON file, 0600, that the page may change and whose secrets never come out."""

from __future__ import annotations

import json
import os
import re
import secrets
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from readingroom.errors import BadRequest, NotFound, SettingsError
from readingroom.nas_index.tables import ORTHANC_NAME
from readingroom.settings import Settings
from readingroom.sources import Location, SourceSettings, parse_location

HIDDEN = "***"
"""What stands for a secret in every answer; sent back, it keeps the secret that is there."""

FILE_NAME = "nas_config.json"

Method = Literal["auto", "sequential", "parallel", "list"]
_METHODS = {"scandir": "sequential", "robocopy": "list", "powershell": "list", "getchilditem": "list"}
_TYPES = {"nfs": "local", "cifs": "local", "mount": "local", "mounted": "local", "file": "local"}


def _known_as(others: dict[str, str]) -> BeforeValidator:
    return BeforeValidator(lambda said: others.get(said.lower(), said.lower()) if isinstance(said, str) else said)


class SourceConfig(BaseModel):
    """One source; names as in the site's own configuration files."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field("nas", min_length=1, max_length=100, pattern=r"^[\w][\w .:-]*$")
    enabled: bool = True
    type: Annotated[Literal["local", "smb", "sftp", "list"], _known_as(_TYPES)] = "local"
    host: str = ""
    port: int | None = Field(None, ge=1, le=65535)
    share: str = ""
    username: str = ""
    password: str = Field("", repr=False)
    domain: str = ""
    path: str = ""
    """A folder; for type `list` the list file."""
    timeout: float = Field(30, gt=0, le=600)
    retry_attempts: int = Field(3, ge=0, le=20)
    retry_delay: float = Field(5, ge=0, le=300)
    connection_pool_size: int = Field(0, ge=0, le=64)
    """Connections at a time; 0: as many as fit."""
    enumeration_method: Annotated[Method, _known_as(_METHODS)] = "auto"
    max_workers: int = Field(0, ge=0, le=128)
    """Files read at a time; 0: as many as fit, by measurement."""
    chunk_size: int = Field(0, ge=0, le=5000)
    """Files handed to a worker at a time; 0: as many as fit."""
    performance_mode: Literal["gentle", "balanced", "fast"] = "balanced"
    encryption: Literal["", "if_offered", "required", "off"] = ""
    private_key_path: str = ""
    host_fingerprint: str = ""
    remote_commands: Literal["auto", "off"] = "auto"
    """Of sftp: whether beginnings of files may be read by a command on the server, where that is faster."""
    firebird: dict[str, Any] | None = Field(None, repr=False)
    """Of an archive of JPEG 2000 pictures: where its database is, and what its columns mean."""

    @model_validator(mode="after")
    def _whole(self) -> SourceConfig:
        if self.type in ("smb", "sftp") and not self.host:
            raise ValueError(f"a source of type {self.type} needs a host")
        if self.host and not re.fullmatch(r"[\w.:-]+", self.host):
            raise ValueError("host is no host name and no address")
        if self.type == "smb" and not self.share.strip("/\\"):
            raise ValueError("a source of type smb needs a share")
        if self.type in ("local", "list") and not self.path.startswith("/"):
            raise ValueError(f"a source of type {self.type} needs an absolute path of this machine")
        if "\0" in self.path or ".." in re.split(r"[/\\]", self.path):
            raise ValueError("path cannot hold `..`")
        return self

    def location(self) -> Location:
        """Where it is; the password goes along, unseen."""
        if self.type in ("local", "list"):
            return Location("file", self.path)
        path = self.path.replace("\\", "/").strip("/")
        if self.type == "sftp":
            home = path == "~" or path.startswith("~/")
            place = path if home else f"/{path}"
            return Location("sftp", place, self.host, self.port or 22, self.username, password=self.password)
        share = self.share.strip("/\\")
        return Location("smb", path, self.host, self.port or 445, self.username, self.domain, share, self.password)

    def source_settings(self, site: SourceSettings) -> SourceSettings:
        """How it is reached: the site's settings, with what is said here."""
        said: dict[str, Any] = {
            "timeout": self.timeout,
            "retries": self.retry_attempts,
            "retry_delay": self.retry_delay,
        }
        if self.encryption:
            said["smb_encryption"] = self.encryption
        if self.private_key_path:
            said["sftp_private_key"] = Path(self.private_key_path)
        if self.host_fingerprint:
            said["sftp_host_fingerprint"] = self.host_fingerprint
        return SourceSettings(**{**{name: getattr(site, name) for name in site.__dataclass_fields__}, **said})

    def shown(self) -> dict[str, Any]:
        """As it may go out: every secret hidden."""
        hidden: dict[str, Any] = _hidden(self.model_dump(exclude_none=True))
        return hidden

    def where(self) -> tuple[str, str, int | None, str, str]:
        """To whom a secret of this source is shown when it is used."""
        return self.type, self.host, self.port, self.username, json.dumps(_places(self.firebird), sort_keys=True)


class NasConfig(BaseModel):
    """All sources."""

    model_config = ConfigDict(extra="forbid")

    sources: list[SourceConfig] = []

    @model_validator(mode="before")
    @classmethod
    def _one_alone(cls, said: Any) -> Any:
        # A configuration of one source may stand by itself.
        return {"sources": [said]} if isinstance(said, dict) and said and "sources" not in said else said

    @model_validator(mode="after")
    def _named_apart(self) -> NasConfig:
        names = [each.name for each in self.sources]
        if len(set(names)) < len(names):
            raise ValueError("two sources have the same name")
        if any(each.casefold() == ORTHANC_NAME.casefold() for each in names):
            raise ValueError(f"{ORTHANC_NAME} is the name of what Orthanc has; call the source otherwise")
        return self

    def named(self, name: str) -> SourceConfig:
        """The source of that name; raises NotFound."""
        for each in self.sources:
            if each.name == name:
                return each
        raise NotFound("There is no such source.")


class ConfigFile:
    """The file that holds the sources."""

    def __init__(self, settings: Settings) -> None:
        self.place = settings.nas_config or settings.data / FILE_NAME

    def read(self) -> NasConfig:
        """What is configured; nothing where there is no file. Raises SettingsError."""
        try:
            text = self.place.read_text()
        except FileNotFoundError:
            return NasConfig()
        except OSError as error:
            raise SettingsError(f"{self.place} cannot be read: {error.strerror}") from None
        try:
            return NasConfig.model_validate_json(text)
        except ValidationError as error:
            raise SettingsError(f"{self.place} does not fit: {said(error)}") from None

    def write(self, config: NasConfig) -> None:
        """Replace the file in one step: whoever reads it meanwhile sees the old one or the new one."""
        fresh = self.place.with_name(f".{self.place.name}.{secrets.token_hex(4)}")
        data = json.dumps(config.model_dump(exclude_none=True), indent=2)
        try:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(data + "\n")
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self.place)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise SettingsError(f"{self.place} cannot be written: {error.strerror}") from None


def merged(wanted: NasConfig, present: NasConfig) -> NasConfig:
    """The wanted configuration, hidden secrets put back. Raises BadRequest where that would give a secret away.

    A secret goes only to where it was meant for: with another host or account it has to be typed again.
    """
    known = {each.name: each for each in present.sources}
    whole = []
    for each in wanted.sources:
        before = known.get(each.name)
        filled = _filled(each.model_dump(), before.model_dump() if before else {})
        if filled != each.model_dump() and (before is None or before.where() != each.where()):
            raise BadRequest(f"{each.name}: with another host or account the password has to be typed again.")
        whole.append(SourceConfig.model_validate(filled))
    return NasConfig(sources=whole)


def parsed(values: Any) -> NasConfig:
    """A configuration as it came in; raises BadRequest naming each key that does not fit."""
    try:
        return NasConfig.model_validate(values)
    except ValidationError as error:
        raise BadRequest(f"The configuration does not fit: {said(error)}") from None


def said(error: ValidationError) -> str:
    """What does not fit, without the values: they may be secrets."""
    return "; ".join(
        f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}".lstrip(": ")
        for each in error.errors(include_input=False)
    )


def of_location(text: str) -> SourceConfig:
    """The source that a path or an address stands for. Raises BadRequest."""
    place = parse_location(text)
    kind = "local" if place.scheme == "file" else place.scheme
    named = place.url if place.scheme != "file" else place.path
    # Not validated: an address may be its own name.
    config = SourceConfig.model_construct(
        None,
        **SourceConfig.model_validate({"path": "/"}).model_dump()
        | {
            "name": named,
            "type": kind,
            "host": place.host,
            "port": place.port or None,
            "share": place.share,
            "username": place.user,
            "domain": place.domain,
            "password": place.password,
            "path": place.path,
        },
    )
    if kind == "local" and Path(place.path).is_file():
        config.type = "list"
    return config


def _hidden(values: Any) -> Any:
    if isinstance(values, dict):
        return {key: HIDDEN if _is_secret(key) and value else _hidden(value) for key, value in values.items()}
    return values


def _filled(values: Any, before: Any) -> Any:
    if not isinstance(values, dict):
        return values
    old = before if isinstance(before, dict) else {}
    return {
        key: old.get(key, "") if _is_secret(key) and value == HIDDEN else _filled(value, old.get(key))
        for key, value in values.items()
    }


def _places(values: dict[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (values or {}).items() if not _is_secret(key)}


def _is_secret(key: str) -> bool:
    return key in ("password", "passphrase", "secret", "token")
