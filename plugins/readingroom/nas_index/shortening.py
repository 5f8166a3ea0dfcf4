"""What goes from a reading process to the run: of a batch's files, each header once and not with every file.

The files of a series have the same words; a run looks at those, and at a file's own UID and number. So a tenth as much
goes from process to process, and is made anew there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import itemgetter

from readingroom.nas_index.header import Header
from readingroom.nas_index.reading import Outcome

Short = tuple[str, int, int, tuple[str, ...], int]
"""As `Outcome`, but of a header only SOPInstanceUID and InstanceNumber, and which of the headers it is."""

Headers = list[tuple[str, ...]]
"""Values of headers, each with its series' key behind them."""

OWN = frozenset(
    {"SOPInstanceUID", "InstanceNumber", "ImagePositionPatient", "ImageOrientationPatient", "NumberOfFrames"}
    | {"Rows", "Columns"}
)
"""What a file has of its own; where anything else differs, a series' words do."""

_UID, _NUMBER = Header._fields.index("SOPInstanceUID"), Header._fields.index("InstanceNumber")
_words = itemgetter(*(at for at, name in enumerate((*Header._fields, "key")) if name not in OWN))


def shortened(outcomes: Iterable[Outcome]) -> tuple[list[Short], Headers]:
    """The outcomes, and the headers that they speak of."""
    which: dict[tuple[str, ...], int] = {}
    headers: Headers = []
    short: list[Short] = []
    for outcome in outcomes:
        what, size, mtime_ns, said = outcome
        if what != "found":
            short.append((*outcome, -1))
            continue
        words = _words(said)
        at = which.get(words)
        if at is None:
            at = which[words] = len(headers)
            headers.append(said)
        short.append((what, size, mtime_ns, (said[_UID], said[_NUMBER]), at))
    return short, headers


def known(headers: Headers) -> Iterator[tuple[Header, str]]:
    """Those headers, and their series' keys."""
    return ((Header._make(values[:-1]), values[-1]) for values in headers)
