"""Brings the shared fixtures in; each subject's own live in `tests/fixtures/`."""

from __future__ import annotations

pytest_plugins = [
    "tests.fixtures.instance",
    "tests.fixtures.browser",
    "tests.fixtures.database",
    "tests.fixtures.identity",
    "tests.fixtures.gateway",
    "tests.fixtures.firebird",
    "tests.fixtures.servers",
    "tests.fixtures.s3",
    "tests.fixtures.delay",
    "tests.fixtures.viewing",
]
