"""What was used longest ago is forgotten first, by number or by weight."""

from __future__ import annotations

from readingroom.recent import Recent


def test_what_was_used_longest_ago_goes_first() -> None:
    recent = Recent[str, int](2)
    recent.keep("a", 1)
    recent.keep("b", 2)
    assert recent.get("a") == 1
    recent.keep("c", 3)
    assert [recent.get(each) for each in "abc"] == [1, None, 3]


def test_heavy_values_push_out_several() -> None:
    recent = Recent[str, bytes](10, len)
    for name in "abc":
        recent.keep(name, bytes(3))
    recent.keep("d", bytes(6))
    assert [recent.get(each) is not None for each in "abcd"] == [False, False, True, True]


def test_a_value_in_place_of_another_is_weighed_alone() -> None:
    recent = Recent[str, bytes](10, len)
    recent.keep("a", bytes(4))
    for size in (6, 1, 6):
        recent.keep("b", bytes(size))
    assert recent.get("a") == bytes(4)


def test_the_last_value_stays_however_heavy_it_is() -> None:
    recent = Recent[str, bytes](10, len)
    recent.keep("a", bytes(4))
    recent.keep("b", bytes(100))
    assert (recent.get("a"), recent.get("b")) == (None, bytes(100))
    recent.keep("c", bytes(4))
    assert (recent.get("b"), recent.get("c")) == (None, bytes(4))
