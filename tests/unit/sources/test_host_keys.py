"""known_hosts is read as sshd(8) describes it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

import pytest
from readingroom.errors import SourceRefused
from readingroom.sources.host_keys import KnownHosts, check_pinned, fingerprint


def public_key(kind: str, seed: str) -> bytes:
    """Something of the shape of a public key."""
    name, body = kind.encode(), hashlib.sha256(seed.encode()).digest()
    return len(name).to_bytes(4) + name + len(body).to_bytes(4) + body


ED, RSA = public_key("ssh-ed25519", "one"), public_key("ssh-rsa", "two")


def line(names: str, key: bytes, marker: str = "") -> str:
    """A line of known_hosts."""
    kind = key[4 : 4 + key[3]].decode()
    return f"{marker}{names} {kind} {base64.b64encode(key).decode()} a comment\n"


def known(tmp_path: Path, content: str, host: str = "nas.example", port: int = 22) -> KnownHosts:
    """What a file of that content says of a host."""
    (tmp_path / "known_hosts").write_text(content)
    return KnownHosts.read(host, port, tmp_path / "known_hosts")


@pytest.mark.parametrize(
    ("names", "host", "port", "fits"),
    [
        ("nas.example", "nas.example", 22, True),
        ("NAS.example", "nas.EXAMPLE", 22, True),
        ("nas.example", "nas.example", 2222, False),
        ("[nas.example]:2222", "nas.example", 2222, True),
        ("[nas.example]:2222", "nas.example", 22, False),
        ("other,nas.example,192.0.2.1", "192.0.2.1", 22, True),
        ("*.example", "nas.example", 22, True),
        ("*.example,!nas.example", "nas.example", 22, False),
        ("na?.example", "nas.example", 22, True),
        ("[*.example]:2222", "nas.example", 2222, True),
        ("n[a]s.example", "nas.example", 22, False),
        ("[2001:db8::1]:2222", "2001:db8::1", 2222, True),
    ],
)
def test_names_and_patterns(tmp_path: Path, names: str, host: str, port: int, fits: bool) -> None:
    assert known(tmp_path, line(names, ED), host, port).keys == ({ED} if fits else set())


def test_a_hashed_name_is_found_by_its_host_alone(tmp_path: Path) -> None:
    salt = bytes(range(20))
    digest = hmac.new(salt, b"nas.example", hashlib.sha1).digest()
    hashed = f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"
    assert known(tmp_path, line(hashed, ED)).keys == {ED}
    assert known(tmp_path, line(hashed, ED), "other.example").keys == set()


def test_comments_authorities_and_broken_lines_are_passed_over(tmp_path: Path) -> None:
    content = (
        "# nas.example ssh-ed25519 AAAA\n\nnas.example\nnas.example ssh-ed25519 not*base64\n"
        "|1|broken ssh-ed25519 AAAA\n" + line("nas.example", ED, "@cert-authority ")
    )
    assert known(tmp_path, content).keys == set()


def test_algorithms_of_known_keys_come_first_and_of_revoked_ones_never(tmp_path: Path) -> None:
    assert known(tmp_path, line("nas.example", RSA)).algorithms == ["rsa-sha2-512", "rsa-sha2-256"]
    both = line("nas.example", RSA) + line("nas.example", ED) + line("nas.example", RSA, "@revoked ")
    assert known(tmp_path, both).algorithms == ["ssh-ed25519"]


def test_only_a_known_key_that_is_not_revoked_passes(tmp_path: Path) -> None:
    known(tmp_path, line("nas.example", ED)).check(ED)
    for content, said in (
        ("", "not in known_hosts"),
        (line("nas.example", RSA), "another one"),
        (line("nas.example", ED) + line("*", ED, "@revoked "), "revoked"),
    ):
        with pytest.raises(SourceRefused, match=said) as caught:
            known(tmp_path, content).check(ED)
        assert fingerprint(ED) in caught.value.message


def test_a_known_hosts_file_that_was_named_must_be_readable(tmp_path: Path) -> None:
    with pytest.raises(SourceRefused, match="cannot be read"):
        KnownHosts.read("nas.example", 22, tmp_path / "missing")


def test_a_pin_is_the_whole_fingerprint() -> None:
    whole = fingerprint(ED)
    assert check_pinned(whole, ED)
    assert check_pinned(f"  {whole}= ", ED)
    for wrong in ("", "SHA256:", whole[:-1], whole + "A", fingerprint(RSA), whole.lower()):
        assert not check_pinned(wrong, ED)
