"""What goes into the private roots, and what must not be lost on the way."""

from __future__ import annotations

import subprocess

import pytest

from scripts.runtime import roots
from scripts.runtime.places import PROVISION


@pytest.mark.parametrize("suite", roots.SUITES)
def test_what_serves_has_the_libraries_that_python_packages_load_and_tests_have_the_servers(suite: str) -> None:
    serve, test = roots.packages(suite, "serve"), roots.packages(suite, "test")
    assert "libfbclient2" in serve
    assert set(serve) < set(test)
    assert {"openssh-server", "samba", "postgresql", "firebird4.0-server"} <= set(test) - set(serve)
    assert len(set(test)) == len(test)


@pytest.mark.parametrize(
    "asked", [("packages", "woody", "serve"), ("packages", "forky", "everything"), ("play", "", "")]
)
def test_an_unknown_suite_kind_or_task_is_refused(asked: tuple[str, str, str]) -> None:
    done = subprocess.run([PROVISION, *asked], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout if asked[0] == "play" else "") == (2, "")
    assert "unknown" in done.stderr
