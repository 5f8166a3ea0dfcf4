"""Folding, cutting and asking: what is typed finds what is stored, in every script, and nothing that is not there."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from readingroom.nas_index.words import (
    asked,
    folded,
    id_words,
    name_words,
    search_text,
    tag,
    terms,
    text_words,
)

# Name as a header has it, and what somebody may type to find it.
FOUND = [
    ("Doe^John^^Dr", ["doe", "JOHN", "john doe", "Doe^John", "doe, john", "ohn", "do jo", "j", "DOE*", "jOhN"]),
    ("Müller^Jörg", ["Müller", "muller", "MUELLER", "müller jörg", "joerg", "üll", "ueller", "mu\u0308ller"]),
    ("Mueller^Joerg", ["Müller", "mueller", "muller", "Jörg"]),
    ("Strauß^Käthe", ["strauss", "STRAUSS", "Strauß", "kaethe", "kathe"]),
    ("Sørensen^Bjørn Åse", ["sorensen", "soerensen", "Sørensen", "ase", "aase", "bjørn"]),
    ("O'Brien^Seán", ["obrien", "O'Brien", "O’Brien", "sean", "brien"]),
    ("Ng'ang'a^Wanjikũ", ["nganga", "Ng'ang'a", "wanjiku"]),
    ("van der Merwe^Jean-Pierre", ["merwe", "van der", "jean-pierre", "jean pierre", "jean-p", "pierre van"]),
    ("Łukasiewicz^Đorđe", ["lukasiewicz", "Łuka", "dorde", "ĐORĐE"]),
    ("Nguyễn^Thị Hồng", ["nguyen", "Nguyễn", "thi hong", "hồng"]),
    ("Li^Na", ["li", "na", "l", "Li Na", "na li"]),
    ("Люкceмбypг^Ёлкин", ["люк", "елкин", "ЁЛКИН"]),
    ("Пушкин^Александр Сергеевич", ["пушкин", "АЛЕКСАНДР", "сергеевич пуш", "пу", "кин"]),
    ("Παπαδόπουλος^Γιώργος", ["παπαδοπουλος", "ΠΑΠΑΔΌΠΟΥΛΟΣ", "γιωργοσ", "Γιώργος", "πα"]),
    ("قباني^لنزار", ["قباني", "قَبّانِي", "لنزار قباني", "قب"]),
    ("مُحَمَّد^أحمد", ["محمد", "احمد", "أحمد محمد", "مُحَمَّد"]),
    ("فاطمة^علی", ["فاطمه", "فاطمة", "علي"]),
    ("שרון^דבורה", ["שרון", "דבורה", "שָׁרוֹן", "שר"]),
    ("Wang^XiaoDong=王^小东", ["王小东", "王", "小东", "xiaodong wang", "Wang 王", "王^小东", "东"]),
    ("Zhang^XiaoDong=張^小東", ["張小東", "小東 張", "張"]),
    ("Yamada^Tarou=山田^太郎=やまだ^たろう", ["山田", "太郎", "山田太郎", "太郎 山田", "田太"]),
    ("Yamada^Tarou=山田^太郎=やまだ^たろう", ["やまだ", "ヤマダ", "ﾔﾏﾀﾞ", "たろう"]),
    ("ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう", ["ヤマダ", "やまだ たろう", "ﾀﾛｳ", "やまだたろう"]),
    ("Takahashi=髙橋^一郎", ["高橋", "髙橋一郎"]),
    ("Hong^Gildong=洪^吉洞=홍^길동", ["홍길동", "홍", "길동", "洪吉洞", "gildong hong", "길동 홍"]),
    ("Ｓｍｉｔｈ^Ａｎｎａ", ["smith", "anna", "ＳＭＩＴＨ"]),
    ("ไทย^สมชาย", ["ไทย", "สมชาย"]),
    ("शर्मा^राम", ["शर्मा", "राम"]),
]  # fmt: skip

NOT_FOUND = [
    ("Doe^John", ["jane", "doejohn", "johndoe", "oe jj", "x"]),
    ("Yamada^Tarou=山田^太郎", ["田山", "郎太"]),
    ("Tanaka=タナカ", ["ダナガ"]),
    ("Li^Na", ["i", "a"]),  # one and two letters begin a word
    ("Jean^Pierre", ["pierre-jean"]),
]


def finds(query: str, text: str) -> bool:
    """As both engines do it: the terms first, then the text."""
    there = terms(text)
    return all(word.terms <= there and word.within in text for word in asked(query))


@pytest.mark.parametrize(("name", "query"), [(name, query) for name, queries in FOUND for query in queries])
def test_a_name_is_found_as_people_type_it(name: str, query: str) -> None:
    assert asked(query)
    assert finds(query, search_text([name_words(name)]))


@pytest.mark.parametrize(("name", "query"), [(name, query) for name, queries in NOT_FOUND for query in queries])
def test_a_name_is_not_found_by_what_it_does_not_hold(name: str, query: str) -> None:
    assert not finds(query, search_text([name_words(name)]))


@pytest.mark.parametrize("query", ["AB-123/45", "ab12345", "123", "AB 123", "45", "8001015009087", "800101 5009 087"])
def test_an_identifier_is_found_with_and_without_its_signs(query: str) -> None:
    text = search_text([id_words("AB-123/45"), id_words("8001015009087")])
    assert finds(query, text)


def test_a_phrase_does_not_reach_across_two_fields() -> None:
    text = search_text([name_words("Doe^John"), text_words("Chest CT")])
    assert finds("john chest", text)
    assert not finds("john-chest", text)


def test_digits_of_other_scripts_are_digits() -> None:
    assert folded("٤٢ ४२ ４２") == "42 42 42"


def test_a_search_of_signs_alone_asks_for_nothing() -> None:
    assert asked("^ = -- '") == []
    assert asked("") == []


def test_properties_have_terms_that_no_word_has() -> None:
    assert tag("modality", "CT") not in terms(" ct modality")
    assert tag("source", 1) != tag("source", 11)
    assert -(1 << 31) <= tag("modality", "CT") < 1 << 31


@given(st.text(), st.text())
@example("ﬁ", "İ")
@example("ǅ", "ŉ")
def test_any_name_is_stored_and_found_by_itself(family: str, given_name: str) -> None:
    family, given_name = family.replace("=", ""), given_name.replace("=", "")
    name = f"{family}^{given_name}"
    text = search_text([name_words(name)])
    assert text == text.strip("\n")
    for word in asked(given_name):
        # Whole, and as far as it is typed.
        assert word.terms <= terms(text)
    assert folded(folded(name)) == folded(name)


@given(st.text(max_size=200))
def test_nothing_that_is_typed_breaks_a_search(query: str) -> None:
    words = asked(query)
    assert len(words) <= 12
    assert all(word.terms and word.within.strip() for word in words)
