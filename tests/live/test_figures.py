"""Our figures stand among Orthanc's own, for the site's Prometheus, on every Orthanc that we run on."""

from __future__ import annotations

import re
import time

from tests.fixtures.instance import Client, LiveInstance

PATIENCE = 60.0


def test_our_figures_are_among_orthancs(instance: LiveInstance) -> None:
    end = time.monotonic() + PATIENCE
    admin = instance.admin  # signed in once: the gateway counts that
    while not (found := figures(admin)):
        assert time.monotonic() < end, "no figure of ours within a minute"
        time.sleep(0.5)
    assert {"readingroom_requests_total", "readingroom_answers_2xx_total"} <= found.keys()

    before = found["readingroom_requests_total"]
    for _ in range(5):
        admin.get("/api/me")
    while figures(admin)["readingroom_requests_total"] < before + 5:
        assert time.monotonic() < end, "the figures stand still"
        time.sleep(0.5)


def figures(admin: Client) -> dict[str, float]:
    """Ours, as Prometheus reads them."""
    said = admin.get("/tools/metrics-prometheus")
    assert said.status_code == 200
    return {name: float(value) for name, value in re.findall(r"^(readingroom_\w+) (\S+)", said.text, re.MULTILINE)}
