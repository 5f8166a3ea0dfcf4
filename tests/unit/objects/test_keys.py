"""Keys: the same from the same, taken apart as they were put together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from readingroom.errors import BadKey
from readingroom.objects import ending_of, original_key, parts_of, thumb_key, type_of, web_key


def test_keys_are_those_of_the_specification() -> None:
    moment = datetime(2026, 2, 9, 15, 30, 12, tzinfo=UTC)
    assert original_key(12, 345, 78, 9001, moment, "png") == (
        "clinic_12/patients/345/studies/78/originals/9001_20260209T153012Z.png"
    )
    assert thumb_key("12", 345, 78, 9001) == "clinic_12/patients/345/studies/78/thumbs/9001_thumb.webp"
    assert web_key("12", 345, 78, 9001) == "clinic_12/patients/345/studies/78/web/9001_web.webp"


def test_the_moment_in_a_key_is_in_utc() -> None:
    here = datetime(2026, 2, 9, 17, 30, 12, tzinfo=timezone(timedelta(hours=2)))
    assert original_key(1, 1, 1, 1, here, "pdf").endswith("/1_20260209T153012Z.pdf")


def test_a_key_says_whose_it_is() -> None:
    parts = parts_of(thumb_key(12, 345, 78, 9001))
    assert parts == ("12", "345", "78", "thumbs", "9001_thumb.webp")


@pytest.mark.parametrize("ending", ["../x", "", "a/b", "p ng", "png\n", "ä"])
def test_no_ending_leads_out_of_its_folder(ending: str) -> None:
    with pytest.raises(BadKey):
        original_key(1, 1, 1, 1, datetime.now(UTC), ending)


@pytest.mark.parametrize("clinic", ["", "1/2", "..", "-1", "a", "1" * 20])
def test_a_clinic_is_a_number(clinic: str) -> None:
    with pytest.raises(BadKey):
        thumb_key(clinic, 1, 1, 1)


def test_endings_and_types_belong_together() -> None:
    assert type_of("x.png") == "image/png"
    assert type_of("x.unknown") == "application/octet-stream"
    assert ending_of("application/pdf") == "pdf"
    assert ending_of("text/html") == "bin"
