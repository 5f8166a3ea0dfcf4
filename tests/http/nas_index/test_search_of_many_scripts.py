"""Names of eight scripts in one catalogue: each is found as its own people type it, and nobody else with it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import pytest
from readingroom.clock import SystemClock
from readingroom.db import Database, migrate, open_database
from readingroom.nas_index.catalogue import Catalogue
from readingroom.nas_index.header import Header
from readingroom.nas_index.narrowing import Wanted
from readingroom.nas_index.profile import choose
from readingroom.nas_index.records import Found
from readingroom.nas_index.search import Search

from tests.fixtures.names_of_many_scripts import SAMPLES

EVERYBODY = [name for names in SAMPLES.values() for name in names]
SYLLABIC = ("Chinese", "Japanese", "Korean")
"""Scripts without spaces between words."""

SAME = str.maketrans("髙邊齋﨑ピリカ", "高辺斎崎ぴりか")
"""Kanji that people write either way, and kana of one sound."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def search(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    """A search among all of them, one series each."""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").new_database()
    else:
        url = f"sqlite:///{tmp_path_factory.mktemp('names') / 'readingroom.db'}"
    database: Database = open_database(url)
    migrate(database)
    catalogue = Catalogue(database, SystemClock(), choose("none").recognise)
    visit = catalogue.visit(catalogue.source("archive", "local", "/archive"), "run")
    visit.store([Found(f"{n}/1", 1, 1, header(n, name), f"{n:040d}") for n, name in enumerate(EVERYBODY)])
    visit.finish(True)
    yield Search(database, SystemClock())
    database.close()


def header(number: int, name: str) -> Header:
    return Header(
        TransferSyntaxUID="1.2.840.10008.1.2.1",
        SOPInstanceUID=f"1.2.3.{number}.1",
        SeriesInstanceUID=f"1.2.3.4.{number}",
        StudyInstanceUID=f"1.2.3.5.{number}",
        PatientName=name,
    )


def found(search: Search, query: str) -> set[str]:
    page = search.page(Wanted(words=query, limit=len(EVERYBODY)))
    assert page.total_is_exact
    assert page.total == len(page.series)
    return {each.values["PatientName"] for each in page.series}


def groups(name: str) -> list[list[str]]:
    """The parts of each group of a name: alphabetic, ideographic, phonetic."""
    return [group.split("^") for group in name.split("=") if group]


def having(part: str) -> set[str]:
    """Whoever has a part with these letters, as they are written; one or two letters begin a word."""
    wanted = part.translate(SAME)
    begins = len(part) < 3 and wanted.isascii()
    return {
        name
        for name in EVERYBODY
        for each in (part for group in groups(name) for part in group)
        if (each.startswith(wanted) if begins else wanted in each.translate(SAME))
    }


@pytest.mark.parametrize("script", SAMPLES)
def test_a_whole_name_finds_that_person_alone_in_any_order_and_case(search: Search, script: str) -> None:
    for name in SAMPLES[script]:
        for family, given, *_ in groups(name):
            for query in (
                f"{family}^{given}", f"{given} {family}", f"{family}, {given}", f"{family} {given}".upper(),
                f"{given} {family}".lower(), f"  {given}^^{family}^ ",
            ):  # fmt: skip
                assert found(search, query) == {name}, query


@pytest.mark.parametrize("script", SAMPLES)
def test_composed_and_decomposed_letters_find_the_same(search: Search, script: str) -> None:
    for name in SAMPLES[script]:
        for family, given, *_ in groups(name):
            for form in ("NFC", "NFD"):
                assert found(search, unicodedata.normalize(form, f"{given} {family}")) == {name}, (form, name)


@pytest.mark.parametrize("script", SAMPLES)
def test_a_family_name_finds_everybody_who_has_it(search: Search, script: str) -> None:
    for name in SAMPLES[script]:
        for family, *_ in groups(name):
            hits = found(search, family)
            assert having(family) <= hits, family
            assert hits <= having(family) | like(family), (family, hits)


@pytest.mark.parametrize("script", SAMPLES)
def test_the_beginning_of_a_name_and_its_middle_find_it(search: Search, script: str) -> None:
    for name in SAMPLES[script]:
        for family, given, *_ in groups(name):
            assert name in found(search, f"{given} {family[:2]}"), name
            # Half-width kana have their voicing mark apart: ｸﾞ is one letter.
            assert name in found(search, f"{family} {unicodedata.normalize('NFKC', given)[:1]}"), name
            if len(family) > 5 and family.isalpha():
                assert name in found(search, family[1:5]), name


@pytest.mark.parametrize("script", SYLLABIC)
def test_one_and_two_characters_find_everybody_who_has_them(search: Search, script: str) -> None:
    for name in SAMPLES[script]:
        for group in groups(name)[1:]:
            for part in group:
                for query in {part[:1], part[:2], part[-1:]}:
                    hits = found(search, query)
                    assert name in hits, query
                    assert hits == having(query) | (hits & like(query)), (query, hits)


@pytest.mark.parametrize("script", SYLLABIC)
def test_a_name_without_a_space_finds_that_person(search: Search, script: str) -> None:
    for name in SAMPLES[script]:
        for family, given, *_ in groups(name)[1:]:
            assert found(search, family + given) == {name}, name


VARIANTS = [
    # German: umlauts written out or left out, sharp s.
    ("Müller^Jörg", ["muller", "MUELLER", "mueller joerg", "Jorg Muller", "mu\u0308ller"]),
    ("Strauß^Käthe", ["strauss", "STRAUSS KAETHE", "kathe strauß", "STRAUẞ"]),
    ("Groß^Annelie", ["gross", "GROSS ANNELIE"]),
    ("Weiß^Ottokar", ["weiss", "Weiss, Ottokar"]),
    # Turkish: dotted and dotless i in either case.
    ("Işık^Ayşe", ["isik", "IŞIK", "ışık", "işik ayse", "AYŞE IŞIK"]),
    ("Şahin^İbrahim", ["sahin ibrahim", "ŞAHİN", "İBRAHİM", "ıbrahim sahin", "i̇brahim"]),
    ("Yıldız^Gülşen", ["yildiz", "YILDIZ", "guelsen", "gulsen yıldız"]),
    # Strokes and rings, apostrophes of every kind, Vietnamese.
    ("Sørensen^Bjørn", ["sorensen", "soerensen bjoern", "BJØRN"]),
    ("Łukasiewicz^Wanda", ["lukasiewicz", "ŁUKASIEWICZ"]),
    ("Åkesson^Märta", ["akesson", "aakesson", "marta åkesson"]),
    ("O'Brien^Seán", ["obrien", "O’Brien", "O`BRIEN sean", "brien"]),
    ("Ng'ang'a^Wanjikũ", ["nganga", "Ng’ang’a wanjiku"]),
    ("Nguyễn^Thị Hồng", ["nguyen thi hong", "NGUYỄN", "hong thi"]),
    ("Smit-Visser^Carla^^Dr", ["smit visser", "visser carla", "Smit-Vis"]),
    ("van der Merwe^Pieter", ["merwe", "merwe van der pieter", "van der merwe"]),
    # Cyrillic: ё as е, й with its breve apart, hard and soft signs as they are.
    ("Ковалёв^Фёдор^Ильич", ["ковалев", "КОВАЛЕВ ФЕДОР", "ильич ковалёв", "фе\u0308дор"]),
    ("Ёлкина^Зоя", ["елкина", "ЁЛКИНА"]),
    ("Чайкин^Андрей", ["чаи\u0306кин", "ЧАЙКИН"]),
    ("Ґалаґан^Остап", ["ґалаґан", "ҐАЛАҐАН"]),
    ("Құсайынов^Нұрлан", ["құсайынов", "ҚҰСАЙЫНОВ НҰРЛАН"]),
    ("Римский-Клюев^Лев", ["римский клюев", "клюев лев", "Римский-Клю"]),
    # Greek: no accents, capitals, final sigma or not.
    ("Παπαδόπουλος^Γιώργος", ["παπαδοπουλος", "ΠΑΠΑΔΟΠΟΥΛΟΣ", "ΓΙΏΡΓΟΣ", "γιωργοσ", "παπαδοπουλοσ γιωργος"]),
    ("Αϊβαλιώτης^Προΐστωρ", ["αιβαλιωτης", "ΑΪΒΑΛΙΏΤΗΣ", "ΠΡΟΙΣΤΩΡ"]),
    # Arabic: vowel marks, alef with and without hamza, yeh and alef maqsura, teh marbuta, Persian letters, tatweel.
    ("مُحَمَّد^يُوسُف", ["محمد يوسف", "محمّد", "يوسف", "محـمد"]),
    ("الخطيب^أحمد", ["احمد الخطيب", "إحمد", "خطيب"]),
    ("إبراهيم^آمنة", ["ابراهيم", "امنه", "أمنة إبراهيم"]),
    ("السيد^مصطفى", ["مصطفي", "مُصطفى السَّيِّد"]),
    ("نجّار^إلياس", ["نجار الياس"]),
    ("الحسيني^فاطمة", ["فاطمه", "الحسینی"]),
    ("کریمی^ژاله", ["كريمي", "كريمى ژاله"]),
    ("دياب^رؤوف", ["رووف", "رؤوف دياب"]),
    ("عبد الله^سلمى", ["عبد الله", "سلمي عبد", "الله"]),
    # Hebrew: vowel points, final letters in the middle of typing, geresh, maqaf.
    ("שָׁרוֹן^דְּבוֹרָה", ["שרון", "דבורה שרון", "שָׁרוֹן", "שרונ"]),
    ("פרידמן^יעקב", ["פרידמנ", "יַעֲקֹב"]),
    ("ג'רבי^פנינה", ["גרבי", "ג׳רבי", "ג’רבי"]),
    ("יצחק-לביא^סמדר", ["יצחק לביא", "יצחק־לביא", "לביא סמדר"]),
    # Japanese: hiragana for katakana, half width, old and new forms of a kanji.
    ("Yamada^Tarou=山田^太郎=やまだ^たろう", ["ヤマダ", "ﾔﾏﾀﾞ ﾀﾛｳ", "やまだたろう", "太郎　山田", "tarou yamada"]),
    ("Takahashi^Ken=髙橋^健=たかはし^けん", ["高橋", "髙橋健", "高橋　健"]),
    ("Watanabe^Jun=渡邊^淳=わたなべ^じゅん", ["渡辺", "渡邉淳", "ワタナベ"]),
    ("Saitou^Hajime=齋藤^元=さいとう^はじめ", ["斎藤", "齋藤元"]),
    ("Yamazaki^Zen=山﨑^禅=やまざき^ぜん", ["山崎", "ヤマザキ"]),
    ("ﾔﾏｼﾀ^ｸﾞﾝｼﾞ=山下^軍二=やました^ぐんじ", ["ヤマシタ", "やました", "グンジ", "ぐんじ", "ﾔﾏｼﾀ"]),
    ("ﾑﾗｶﾐ^ﾊﾟﾝｺ=村上^汎子=むらかみ^ぱんこ", ["パンコ", "ﾊﾟﾝｺ", "ハ\u309aンコ"]),
    ("Kimura^Pirika=木村^ピリカ=きむら^ぴりか", ["ぴりか", "ﾋﾟﾘｶ", "木村ピリカ", "キムラ"]),
    # Full-width Latin, as a Japanese keyboard leaves it.
    ("Suzuki^Ichirou=鈴木^一朗=すずき^いちろう", ["ＳＵＺＵＫＩ", "ｓｕｚｕｋｉ　一朗"]),
    # Korean: with and without its group of Hanja, syllables apart.
    ("Hong^Gildong=洪^吉洞=홍^길동", ["홍길동", "길동 홍", "洪吉洞", "홍 gildong", "\u1112\u1169\u11bc길동"]),
    ("Namgung^Min==남궁^민", ["남궁", "남궁민", "궁"]),
    # Chinese: both groups at once, compound family names.
    ("Ouyang^XiuYuan=欧阳^修远", ["欧阳修远", "欧阳", "修远", "xiuyuan", "ouyang 修"]),
    ("Wang^XiaoDong=王^小东", ["王小东", "小东 王", "Wang 小东", "王^小"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "queries"), VARIANTS, ids=[name for name, _ in VARIANTS])
def test_a_name_is_found_however_its_letters_are_typed(search: Search, name: str, queries: list[str]) -> None:
    assert name in EVERYBODY
    for query in queries:
        hits = found(search, query)
        assert name in hits, query
        # Nobody else but who shares that very family name, given name, or a part with the same letters.
        assert len(hits) <= 3, (query, hits)


NOBODY = [
    "田山", "郎太", "ガナガ", "はらだ", "王山田", "山田 花子", "鈴木太郎", "길홍", "홍민준", "김길동", "王李",
    "ковалев андрей", "παπαδοπουλου γιωργος", "محمد آمنة", "שרה דוד", "muller kathe", "xyz", "ъ", "ыы", "ヷ",
]  # fmt: skip
"""Halves of two people, parts in a wrong order within a word, what nobody is called."""


@pytest.mark.parametrize("query", NOBODY)
def test_what_nobody_is_called_finds_nobody(search: Search, query: str) -> None:
    assert found(search, query) == set()


def like(part: str) -> set[str]:
    """Whoever has those letters but for marks and case, over all parts at once; independent of how the index folds."""

    def bare(text: str) -> str:
        apart = unicodedata.normalize("NFKD", text)
        return "".join(c for c in apart if c.isalnum() and not unicodedata.category(c).startswith("M")).casefold()

    wanted = bare(part)
    return {name for name in EVERYBODY if wanted in bare("".join(name.split("=")))}
