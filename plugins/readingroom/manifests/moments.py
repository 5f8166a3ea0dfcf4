"""Tells frames at one place apart by time: acquisition, temporal position, trigger, clock, echo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from readingroom.headers.sequences import Item, value
from readingroom.manifests import tags
from readingroom.manifests.file_header import FileHeader
from readingroom.manifests.values import double, long, number, short, whole, word

TIMES: Final = (tags.ACQUISITION_TIME, tags.CONTENT_TIME)

LAST: Final = float("inf")
"""Where a header has no value to sort by: behind those that have."""


def moment(values: Mapping[int, bytes]) -> tuple[float, ...]:
    """Of a file without functional groups."""

    def said(tag: int) -> float:
        found = number(values.get(tag, b""))
        return LAST if found is None else found

    when = next((found for tag in TIMES if (found := _seconds(values.get(tag, b""))) is not None), LAST)
    if (at := values.get(tags.ACQUISITION_DATE_TIME)) and when == LAST:
        when = _seconds(at[8:]) or LAST
    return (
        said(tags.ACQUISITION_NUMBER), said(tags.TEMPORAL_POSITION), said(tags.TRIGGER_TIME), when,
        said(tags.ECHO_NUMBERS), said(tags.ECHO_TIME),
    )  # fmt: skip


def moment_of_groups(group: Callable[[int], Item], header: FileHeader) -> tuple[float, ...]:
    """Of one frame, by its groups and those that all share."""
    content, big = group(tags.FRAME_CONTENT), header.big

    def or_last(found: float | None) -> float:
        return LAST if found is None else found

    acquisition = short(value(content, tags.FRAME_ACQUISITION_NUMBER), big=big)
    if acquisition is None:
        acquisition = whole(header.values.get(tags.ACQUISITION_NUMBER, b""))
    temporal = long(value(content, tags.TEMPORAL_INDEX), big=big)
    delay = double(value(group(tags.CARDIAC), tags.TRIGGER_DELAY), big=big)
    when = _seconds(value(content, tags.FRAME_ACQUISITION_TIME)[8:])
    echo = double(value(group(tags.ECHO), tags.EFFECTIVE_ECHO_TIME), big=big)
    return or_last(acquisition), or_last(temporal), or_last(delay), or_last(when), LAST, or_last(echo)


def _seconds(raw: bytes) -> float | None:
    """Seconds since midnight of a DICOM time (PS3.5 table 6.2-1: HHMMSS.FFFFFF), or the time in a DT."""
    said = word(raw).replace(":", "").partition("+")[0].partition("-")[0]
    if len(said) < 4 or not said.replace(".", "", 1).isdigit():
        return None
    return int(said[:2]) * 3600 + int(said[2:4]) * 60 + (float(said[4:]) if said[4:] else 0.0)
