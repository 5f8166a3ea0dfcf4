"""Where a series is looked for first, and what is asked of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

import pytest
from readingroom.series import FoundSeries, Origins, SeriesFile, key_of
from readingroom.series.model import Place, is_key
from readingroom.zipstream import Reader

UID = "1.2.840.113619.2.55"


class Somewhere:
    """A place with some series; Orthanc's does not know keys."""

    def __init__(self, name: Place, *uids: str, knows_keys: bool = True) -> None:
        self.series = {uid: FoundSeries(key_of(uid), uid, "1.2", name, "", {}, 1, 10, "1") for uid in uids}
        self.by_key = {each.key: each for each in self.series.values()} if knows_keys else {}
        self.asked: list[str] = []

    def find(self, key: str) -> FoundSeries | None:
        self.asked.append(key)
        return self.series.get(key) or self.by_key.get(key)

    def files(self, found: FoundSeries) -> Sequence[SeriesFile]:
        return [SeriesFile(found.origin, 10, 0, None, "1", 1)]

    def open(self, found: FoundSeries, index: int) -> AbstractContextManager[Reader]:
        raise AssertionError

    def keep_crcs(self, found: FoundSeries, crcs: Mapping[int, int]) -> None:
        raise AssertionError


@pytest.mark.parametrize("key", [UID, key_of(UID)])
def test_what_orthanc_has_is_taken_from_there_under_either_name(key: str) -> None:
    orthanc, nas = Somewhere("orthanc", UID, knows_keys=False), Somewhere("nas", UID)
    found = Origins(orthanc, nas).find(key)
    assert found is not None
    assert found.origin == "orthanc"
    assert orthanc.asked == [UID]


def test_the_nas_is_not_asked_for_a_uid_that_orthanc_has() -> None:
    orthanc, nas = Somewhere("orthanc", UID), Somewhere("nas", UID)
    Origins(orthanc, nas).find(UID)
    assert nas.asked == []


@pytest.mark.parametrize("key", [UID, key_of(UID)])
def test_what_only_another_place_has_comes_from_there(key: str) -> None:
    on_nas = Origins(Somewhere("orthanc"), Somewhere("nas", UID))
    copied = Origins(Somewhere("orthanc"), Somewhere("nas"))
    copied.add("copy", Somewhere("copy", UID))
    for origins, name in ((on_nas, "nas"), (copied, "copy")):
        found = origins.find(key)
        assert found is not None
        assert [each.name for each in origins.files(found)] == [name]


def test_what_is_nowhere_is_not_found_and_one_place_can_be_asked_alone() -> None:
    origins = Origins(Somewhere("orthanc"), Somewhere("nas", UID))
    assert origins.find("1.2.3") is None
    assert origins.find_in("orthanc", UID) is None
    assert origins.find_in("nas", UID) is not None


def test_a_key_is_told_from_a_uid() -> None:
    assert is_key(key_of(UID))
    assert not is_key(UID)
    assert not is_key("A" * 40)
