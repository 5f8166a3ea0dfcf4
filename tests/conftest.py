"""Brings the shared fixtures in; each subject's own live in `tests/fixtures/`."""

from __future__ import annotations

from hypothesis import settings

# That the machine was busy for a fifth of a second says nothing of what is tested.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

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
