"""SMB's own promises: encryption, accounts, shares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from readingroom.errors import SourceForbidden, SourceNotFound, SourceRefused
from readingroom.sources import Beginning, FileEntry, SourceSettings, open_source, parse_location
from readingroom.sources.smb import smb_connector

from tests.fixtures.servers import running_smbd
from tests.fixtures.smbd import Smbd

SETTINGS = SourceSettings(retries=1, retry_delay=0.05)


@pytest.fixture(scope="module")
def plain_smbd() -> Iterator[Smbd]:
    """A server that does not encrypt."""
    with running_smbd(encryption="off") as server:
        yield server


@pytest.fixture(scope="module")
def strict_smbd() -> Iterator[Smbd]:
    """A server that takes nothing unencrypted."""
    with running_smbd(encryption="required") as server:
        yield server


def settings(server: Smbd, **changes: object) -> SourceSettings:
    """What signs in at that server."""
    return replace(SETTINGS, smb_password=server.password, **changes)  # type: ignore[arg-type]


def is_encrypted(server: Smbd, **changes: object) -> bool:
    """Whether a line made with these settings is encrypted, seen by reading a folder over it."""
    line = smb_connector(parse_location(server.url), settings(server, **changes))()
    try:
        line.entries(line.root().where)
        return line.encrypted
    finally:
        line.close()


def test_what_goes_over_the_line_is_encrypted_when_the_server_offers_it(smbd: Smbd, strict_smbd: Smbd) -> None:
    assert is_encrypted(smbd)
    assert is_encrypted(strict_smbd)
    assert is_encrypted(strict_smbd, smb_encryption="off")  # the server's word counts more
    assert not is_encrypted(smbd, smb_encryption="off")


def test_a_server_that_cannot_encrypt_is_used_unless_encryption_is_required(plain_smbd: Smbd) -> None:
    (plain_smbd.root / "file").write_bytes(b"plain")
    assert not is_encrypted(plain_smbd)
    with open_source(plain_smbd.url, settings(plain_smbd)) as source, source.open("file") as file:
        assert file.read() == b"plain"
    with pytest.raises(SourceRefused, match="offers no encryption") as caught:
        open_source(plain_smbd.url, settings(plain_smbd, smb_encryption="required"))
    assert caught.value.suggestion


def test_files_come_out_whole_whether_encrypted_or_not(smbd: Smbd) -> None:
    content = bytes(range(256)) * 20_000
    (smbd.root / "whole").write_bytes(content)
    for encryption in ("required", "off"):
        asked = settings(smbd, smb_encryption=encryption)
        with open_source(smbd.url, asked) as source, source.open("whole") as file:
            assert file.read() == content


@pytest.mark.parametrize("encryption", ["if_required", "off"])
@pytest.mark.parametrize("protocol", ["SMB2_02", "SMB2_10", "SMB3_00", "SMB3_02", "SMB3_11"])
def test_every_dialect_is_spoken_signed_and_where_it_can_be_encrypted(protocol: str, encryption: str) -> None:
    content = bytes(range(256)) * 9_000
    with running_smbd(protocol=protocol, encryption=encryption) as server:
        (server.root / "large").write_bytes(content)
        for number in range(300):
            (server.root / f"{number:03d}").write_bytes(b"%d" % number * 5000)
        assert is_encrypted(server) == (protocol.startswith("SMB3") and encryption != "off")
        with open_source(server.url, settings(server)) as source:
            entries = [entry for entry in source.walk() if isinstance(entry, FileEntry)]
            begins = source.beginnings(entries, 8192)
            with source.open("large") as file:
                assert file.read() == content
    assert [entry.path for entry in entries] == [*(f"{number:03d}" for number in range(300)), "large"]
    expected = [*((b"%d" % number * 5000)[:8192] for number in range(300)), content[:8192]]
    assert [each.data for each in begins if isinstance(each, Beginning)] == expected


def test_a_wrong_password_is_refused_and_not_shown(smbd: Smbd) -> None:
    wrong = settings(smbd, smb_username="reader")
    wrong = replace(wrong, smb_password="wrong-secret")
    with pytest.raises(SourceRefused) as caught:
        open_source(smbd.url, wrong)
    assert caught.value.error_type == "authentication"
    assert "wrong-secret" not in f"{caught.value} {caught.value!r} {caught.value.detail} {wrong!r}"


def test_an_unknown_user_is_refused(smbd: Smbd) -> None:
    with pytest.raises(SourceRefused):
        open_source(smbd.url.replace("reader@", "nobody-here@"), settings(smbd))


def test_without_user_or_password_nothing_is_tried(smbd: Smbd) -> None:
    with pytest.raises(SourceRefused, match="No user name"):
        open_source(smbd.url.replace("reader@", ""), settings(smbd))
    with pytest.raises(SourceRefused, match="no password"):
        open_source(smbd.url, SETTINGS)


def test_user_and_domain_may_come_from_the_settings(smbd: Smbd) -> None:
    named = settings(smbd, smb_username="reader", smb_domain="WORKGROUP")
    with open_source(smbd.url.replace("reader@", ""), named) as source:
        source.check()


def test_a_share_that_is_not_there_is_named(smbd: Smbd) -> None:
    with pytest.raises(SourceNotFound, match="no share 'missing'") as caught:
        open_source(smbd.url.replace("/cases", "/missing"), settings(smbd))
    assert caught.value.suggestion


def test_a_folder_below_the_share_is_a_source_of_its_own(smbd: Smbd) -> None:
    folder = smbd.root / "Best of" / "Fälle"
    folder.mkdir(parents=True)
    (folder / "file").write_bytes(b"x")
    (smbd.root / "above").write_bytes(b"y")
    with open_source(f"{smbd.url}/Best%20of/F%C3%A4lle", settings(smbd)) as source:
        assert [entry.path for entry in source.walk() if isinstance(entry, FileEntry)] == ["file"]
        for climb in ("..\\..\\above", "..\\above", "a\\..\\..\\..\\above"):
            with pytest.raises(SourceNotFound):
                source.open(climb)


def test_a_unc_path_is_the_same_as_an_address(smbd: Smbd) -> None:
    # A UNC path names no port, so this one is only read, not followed.
    place = parse_location(rf"\\{smbd.host}\cases\Best of\x")
    assert place.url == f"smb://{smbd.host}/cases/Best%20of/x"


def test_the_share_cannot_be_read_without_rights(smbd: Smbd) -> None:
    closed = smbd.root / "closed-root"
    closed.mkdir(mode=0o700)
    with pytest.raises(SourceForbidden), open_source(f"{smbd.url}/closed-root", settings(smbd)) as source:
        list(source.walk())
