"""SFTP's own promises: who signs in how, and which server is believed to be the right one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from readingroom.errors import SourceError, SourceNotFound, SourceRefused
from readingroom.sources import FileEntry, SourceSettings, open_source

from tests.fixtures.servers import running_sshd, server_folder
from tests.fixtures.sshd import Sshd, make_key


@pytest.fixture
def settings(sshd: Sshd) -> SourceSettings:
    """What signs in by password at the server that known_hosts names."""
    return SourceSettings(
        sftp_password=sshd.password, sftp_known_hosts=sshd.known_hosts_file, retries=1, retry_delay=0.05
    )


def with_known_hosts(settings: SourceSettings, folder: Path, content: str) -> SourceSettings:
    """The same settings with another known_hosts."""
    place = folder / "known_hosts"
    place.write_text(content)
    return replace(settings, sftp_known_hosts=place)


# Signing in


def test_a_password_signs_in(sshd: Sshd, settings: SourceSettings) -> None:
    with open_source(sshd.url, settings) as source:
        source.check()


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_key_of_each_kind_signs_in(sshd: Sshd, settings: SourceSettings, kind: str) -> None:
    with open_source(sshd.url, replace(settings, sftp_password="", sftp_private_key=sshd.key(kind))) as source:
        source.check()


def test_an_encrypted_key_signs_in_with_its_passphrase(sshd: Sshd, settings: SourceSettings) -> None:
    key = replace(settings, sftp_password="", sftp_private_key=sshd.key("encrypted"))
    with open_source(sshd.url, replace(key, sftp_private_key_passphrase=sshd.key_passphrase)) as source:
        source.check()


def test_a_key_in_pem_form_signs_in(sshd: Sshd, settings: SourceSettings, tmp_path: Path) -> None:
    key = tmp_path / "pem"
    key.write_bytes(sshd.key("rsa").read_bytes())
    key.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-m", "PEM", "-P", "", "-N", "other words", "-f", key], check=True)
    assert b"OPENSSH" not in key.read_bytes()
    pem = replace(settings, sftp_password="", sftp_private_key=key, sftp_private_key_passphrase="other words")
    with open_source(sshd.url, pem) as source:
        source.check()


def test_an_encrypted_key_without_or_with_a_wrong_passphrase_says_which(sshd: Sshd, settings: SourceSettings) -> None:
    key = replace(settings, sftp_password="", sftp_private_key=sshd.key("encrypted"))
    with pytest.raises(SourceRefused, match="is encrypted") as caught:
        open_source(sshd.url, key)
    assert "SFTP_PRIVATE_KEY_PASSPHRASE" in caught.value.suggestion
    with pytest.raises(SourceRefused, match="wrong passphrase") as caught:
        open_source(sshd.url, replace(key, sftp_private_key_passphrase="not the passphrase"))
    assert "not the passphrase" not in str(caught.value) + repr(caught.value)


def test_a_key_that_needs_no_passphrase_works_though_one_is_set(sshd: Sshd, settings: SourceSettings) -> None:
    key = replace(settings, sftp_password="", sftp_private_key=sshd.key("ed25519"), sftp_private_key_passphrase="x")
    with open_source(sshd.url, key) as source:
        source.check()


def test_a_missing_or_foreign_key_file_is_named(sshd: Sshd, settings: SourceSettings, tmp_path: Path) -> None:
    with pytest.raises(SourceRefused, match="cannot be read"):
        open_source(sshd.url, replace(settings, sftp_private_key=tmp_path / "missing"))
    (tmp_path / "text").write_text("no key")
    with pytest.raises(SourceRefused, match="no key that we know"):
        open_source(sshd.url, replace(settings, sftp_private_key=tmp_path / "text"))


def test_a_refused_key_falls_back_to_the_password(sshd: Sshd, settings: SourceSettings) -> None:
    with open_source(sshd.url, replace(settings, sftp_private_key=sshd.key("stranger"))) as source:
        source.check()


def test_wrong_passwords_and_keys_are_refused_at_once_and_never_repeated(sshd: Sshd, settings: SourceSettings) -> None:
    wrong = replace(settings, sftp_password="wrong-secret")
    stranger = replace(settings, sftp_password="", sftp_private_key=sshd.key("stranger"))
    for bad in (wrong, stranger):
        with pytest.raises(SourceRefused) as caught:
            open_source(sshd.url, bad)
        assert caught.value.error_type == "authentication"
        assert "wrong-secret" not in f"{caught.value} {caught.value!r} {caught.value.detail} {bad!r}"


def test_without_user_or_any_secret_nothing_is_tried(sshd: Sshd, settings: SourceSettings) -> None:
    with pytest.raises(SourceRefused, match="No user name"):
        open_source(f"sftp://{sshd.host}:{sshd.port}/", settings)
    with pytest.raises(SourceRefused, match="Neither key nor password"):
        open_source(sshd.url, replace(settings, sftp_password=""))


def test_user_and_password_may_stand_in_the_address_and_never_come_out_again(
    sshd: Sshd, settings: SourceSettings
) -> None:
    address = f"sftp://{sshd.user}:{sshd.password}@{sshd.host}:{sshd.port}{sshd.root}"
    with open_source(address, replace(settings, sftp_password="")) as source:
        assert sshd.password not in f"{source.url} {source!r} {source.location!r}"
        assert source.url == sshd.url


# Which server it is


def test_an_unknown_host_is_refused_with_its_fingerprint(sshd: Sshd, settings: SourceSettings, tmp_path: Path) -> None:
    with pytest.raises(SourceRefused, match="not in known_hosts") as caught:
        open_source(sshd.url, with_known_hosts(settings, tmp_path, ""))
    assert sshd.host_key_fingerprint in caught.value.message
    assert f"SFTP_HOST_FINGERPRINT={sshd.host_key_fingerprint}" in caught.value.suggestion


def test_another_host_key_than_the_known_one_is_refused(sshd: Sshd, settings: SourceSettings, tmp_path: Path) -> None:
    make_key(tmp_path / "other", "ed25519", "")
    algorithm, key = (tmp_path / "other.pub").read_text().split()[:2]
    line = f"[{sshd.host}]:{sshd.port} {algorithm} {key}\n"
    with pytest.raises(SourceRefused, match="another one") as caught:
        open_source(sshd.url, with_known_hosts(settings, tmp_path, line))
    assert sshd.host_key_fingerprint in caught.value.message


def test_the_same_host_on_another_port_is_another_host(sshd: Sshd, settings: SourceSettings, tmp_path: Path) -> None:
    line = sshd.known_hosts_line("ed25519").replace(f"[{sshd.host}]:{sshd.port}", sshd.host)
    with pytest.raises(SourceRefused, match="not in known_hosts"):
        open_source(sshd.url, with_known_hosts(settings, tmp_path, line))


def test_a_hashed_entry_is_understood(sshd: Sshd, settings: SourceSettings, tmp_path: Path) -> None:
    (tmp_path / "hashed").write_text(sshd.known_hosts_line("ed25519"))
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", tmp_path / "hashed"], check=True, capture_output=True)
    assert "|1|" in (tmp_path / "hashed").read_text()
    with open_source(sshd.url, replace(settings, sftp_known_hosts=tmp_path / "hashed")) as source:
        source.check()
    salt = b"0123456789abcdef0123"
    digest = hmac.new(salt, b"[elsewhere.example]:22", hashlib.sha1).digest()
    other = f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()} "
    line = other + sshd.known_hosts_line("ed25519").split(" ", 1)[1]
    with pytest.raises(SourceRefused, match="not in known_hosts"):
        open_source(sshd.url, with_known_hosts(settings, tmp_path, line))


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_the_kind_of_key_that_is_known_is_the_one_asked_for(
    sshd: Sshd, settings: SourceSettings, tmp_path: Path, kind: str
) -> None:
    with open_source(sshd.url, with_known_hosts(settings, tmp_path, sshd.known_hosts_line(kind))) as source:
        source.check()


def test_a_revoked_key_is_refused(sshd: Sshd, settings: SourceSettings, tmp_path: Path) -> None:
    good = sshd.known_hosts_line("ed25519")
    with pytest.raises(SourceRefused, match="revoked"):
        open_source(sshd.url, with_known_hosts(settings, tmp_path, f"@revoked {good}{good}"))


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_pinned_fingerprint_of_any_of_the_servers_keys_is_enough(
    sshd: Sshd, settings: SourceSettings, tmp_path: Path, kind: str
) -> None:
    empty = with_known_hosts(settings, tmp_path, "")
    for written in (sshd.fingerprint(kind), sshd.fingerprint(kind).removeprefix("SHA256:") + "="):
        with open_source(sshd.url, replace(empty, sftp_host_fingerprint=written)) as source:
            source.check()


def test_a_pinned_fingerprint_that_no_key_has_is_refused_though_known_hosts_has_the_server(
    sshd: Sshd, settings: SourceSettings
) -> None:
    wrong = "SHA256:" + "A" * 43
    with pytest.raises(SourceRefused, match="not the pinned") as caught:
        open_source(sshd.url, replace(settings, sftp_host_fingerprint=wrong))
    for kind in ("ed25519", "rsa", "ecdsa"):
        assert sshd.fingerprint(kind) in caught.value.message


def test_no_password_is_sent_to_a_server_that_is_not_the_right_one(
    sshd: Sshd, settings: SourceSettings, tmp_path: Path
) -> None:
    log = sshd.folder / "sshd.log"
    before = len(log.read_text())
    with pytest.raises(SourceRefused):
        open_source(sshd.url, with_known_hosts(settings, tmp_path, ""))
    assert "password for reader" not in log.read_text()[before:]


# The server's own ways


def test_a_path_can_start_at_the_accounts_home(sshd: Sshd, settings: SourceSettings) -> None:
    (sshd.root / "home-test").write_text("x")
    below = str(sshd.root).lstrip("/")  # the test account's home is /
    with open_source(f"sftp://{sshd.user}@{sshd.host}:{sshd.port}/~/{below}", settings) as source:
        assert source.stat("home-test").size == 1


def test_a_source_that_is_itself_a_link_is_walked(sshd: Sshd, settings: SourceSettings) -> None:
    (sshd.root / "real").mkdir()
    (sshd.root / "real" / "file").touch()
    (sshd.root / "alias").symlink_to("real")
    with open_source(f"{sshd.url}/alias", settings) as source:
        assert [entry.path for entry in source.walk() if isinstance(entry, FileEntry)] == ["file"]


@pytest.fixture
def without_sftp() -> Iterator[Sshd]:
    """A server that signs people in and has no SFTP."""
    with server_folder("sshd") as folder:
        server = Sshd(folder)
        configuration = folder / "sshd_config"
        text = configuration.read_text().replace("Subsystem sftp internal-sftp", "")
        configuration.write_text(text.replace("ForceCommand internal-sftp", "ForceCommand /bin/echo hello"))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def test_a_server_without_sftp_says_so(sshd: Sshd, without_sftp: Sshd) -> None:
    settings = SourceSettings(
        sftp_password=without_sftp.password, sftp_known_hosts=without_sftp.known_hosts_file, retries=1
    )
    with pytest.raises(SourceError) as caught:
        open_source(without_sftp.url, settings)
    assert not isinstance(caught.value, SourceNotFound)
    assert "SFTP" in caught.value.message


def test_a_server_with_an_rsa_key_alone_is_met() -> None:
    with running_sshd(host_keys=("rsa",)) as server:
        settings = SourceSettings(sftp_password=server.password, sftp_known_hosts=server.known_hosts_file)
        with open_source(server.url, settings) as source:
            source.check()
