"""Requests that another site's page makes a browser send."""

from __future__ import annotations

import pytest
from readingroom.identity.cross_site import Origins

OURS = Origins(["https://ohif.example"], "https://rr.example")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "https://rr.example.evil.example",
        "http://rr.example:8081",
        "https://",
        "x",
        "https://a:b",
    ],
)
def test_a_strange_page_changes_nothing(method: str, origin: str) -> None:
    assert OURS.forge(method, origin, "10.0.0.5:8080")


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://10.0.0.5:8080", "10.0.0.5:8080"),
        ("https://rr.example", "inner:8080"),
        ("https://RR.example:443", "inner"),
        ("https://ohif.example", "rr.example"),
        ("https://hospital.example", "hospital.example"),
        ("http://[::1]:8080", "[::1]:8080"),
    ],
)
def test_our_own_page_and_those_that_the_site_allows_may(origin: str, host: str) -> None:
    assert not OURS.forge("POST", origin, host)


def test_a_program_without_origin_may_and_reading_is_never_a_change() -> None:
    assert not OURS.forge("POST", None, "10.0.0.5")
    assert not OURS.forge("GET", "https://evil.example", "10.0.0.5")


def test_without_a_host_nothing_is_ours() -> None:
    assert Origins([]).forge("POST", "http://10.0.0.5", None)
