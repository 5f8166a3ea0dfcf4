"""How sources are reached: accounts, keys, time limits, retries."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from readingroom.settings import Settings


@dataclass(frozen=True)
class SourceSettings:
    """What `open_source` needs beside the location; secrets are left out of its repr."""

    sftp_username: str = ""
    sftp_password: str = field(default="", repr=False)
    sftp_private_key: Path | None = None
    sftp_private_key_passphrase: str = field(default="", repr=False)
    sftp_known_hosts: Path | None = None
    """Instead of ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts."""
    sftp_host_fingerprint: str = ""
    """`SHA256:…`: the one host key that is accepted; known_hosts is then not asked."""
    ssh_commands: Literal["use", "off"] = "off"
    """Whether beginnings of files are read by a command on an SFTP server; whoever sets this tried it before."""
    smb_username: str = ""
    smb_password: str = field(default="", repr=False)
    smb_domain: str = ""
    smb_encryption: Literal["if_offered", "required", "off"] = "if_offered"

    connections: int = 8
    """Connections at a time, at most; further threads share them."""
    timeout: float = 30.0
    """Seconds of silence after which a line counts as lost."""
    retries: int = 4
    """How often a lost line is tried again before SourceUnreachable."""
    retry_delay: float = 0.5
    """Seconds before the first of them; doubled each time, 30 at most."""
    follow_links_outside: bool = False
    """Whether a symbolic link may lead out of the source's folder (not for SMB: there the server decides)."""

    @classmethod
    def of(cls, settings: Settings) -> SourceSettings:
        """The site's settings for sources."""
        return cls(
            sftp_username=settings.sftp_username,
            sftp_password=settings.sftp_password.get_secret_value(),
            sftp_private_key=settings.sftp_private_key_path,
            sftp_private_key_passphrase=settings.sftp_private_key_passphrase.get_secret_value(),
            sftp_known_hosts=settings.sftp_known_hosts,
            sftp_host_fingerprint=settings.sftp_host_fingerprint,
            smb_username=settings.smb_username,
            smb_password=settings.smb_password.get_secret_value(),
            smb_domain=settings.smb_domain,
            smb_encryption=settings.smb_encryption,
        )
