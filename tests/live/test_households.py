"""Whom the gateway's limits count as one: an IPv4 address, or the /64 that one IPv6 household has."""

from __future__ import annotations

from collections import Counter

import pytest
import requests
from readingroom.shares.rules import address_key

from tests.fixtures.gateway import NewGateway

ADDRESSES = [
    *("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2:a0a:a0a:a0a:a0a", "2001:db8:1:3::1"),
    *("2001:db8::1", "2001:db8::2:0:0:1", "2001:0db8:0:0:3::", "2001:db8:0:1::1"),
    *("a0a:a0a:a0a:a0a::a0a", "a0a:a0a:a0a:a0a:a0a:a0a:a0a:a0a", "A0A:A0A:A0A:A0A::1", "a0a:a0a:a0a:a0b::1"),
    *("fe80::1", "fe80::2", "fe80::3", "::1", "::2", "::3"),
    *("198.51.100.1", "::ffff:198.51.100.1", "::ffff:c633:6401", "198.51.100.2", "::ffff:198.51.100.3"),
    *("50.48.48.49", "2001::1", "3230:3031::", "3230:3031::1"),
]
"""Households of three or more, and neighbours; bytes that are a line's end, and bytes that spell digits."""


@pytest.mark.parametrize(
    ("limit", "method", "path", "headers"),
    [
        ("sign_in_per_minute", "POST", "/api/token/", {}),
        ("unlock_per_minute", "POST", "/share/token-1/unlock", {}),
        ("unlock_per_minute", "GET", "/share/token-1/info", {"X-Share-Passcode": "guessed"}),
    ],
)
def test_a_household_is_counted_as_one_by_gateway_and_plugin(
    new_gateway: NewGateway, limit: str, method: str, path: str, headers: dict[str, str]
) -> None:
    gateway = new_gateway(trusted_proxies=["127.0.0.0/8"], **{limit: 1})
    asked: Counter[str] = Counter()
    for address in ADDRESSES * 2:
        known = asked[address_key(address)]
        answer = requests.request(method, gateway.url + path, headers={**headers, "X-Forwarded-For": address})
        # One at once beside the one that the rate allows.
        assert (answer.status_code == 429) == (known >= 2), (address, answer.status_code)
        asked[address_key(address)] += 1
    assert max(asked.values()) >= 6
    assert len(asked) > 8
