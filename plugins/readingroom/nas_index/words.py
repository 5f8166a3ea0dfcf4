"""How text is searched: folded to plain words, cut into terms, and looked at again so that no term lies.

A word is a run of letters and digits without accents, capitals or vowel marks. The index holds, for each word, its
first letter, its first two, and every three in a row (the word as such, where it is shorter); for scripts without
spaces between words, every character and every two in a row. A search asks for the terms of its words and then checks
the folded text itself: terms find candidates fast, on any engine and in any script, and the text decides.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

MAX_WORDS = 12
"""Words of one search that are looked at; nobody types more of a name, an id and a description."""

GRAM = 3

KEPT = 16_384
"""Words and values whose folding is remembered; names and descriptions come again and again. Some 10 MB in all."""

SEPARATORS = re.compile(r"[\s^=,;\\*?%\"]+")
"""What stands between the words of a search: DICOM's own separators, and what people type as wildcards."""

# Letters that no decomposition takes apart, as they are written without the mark.
_LETTERS = {
    "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ŋ": "n",
    # Arabic: alef wasla, alef maqsura, teh marbuta, Farsi yeh and kaf, tatweel; Hebrew: final forms.
    "ٱ": "ا", "ى": "ي", "ة": "ه", "ی": "ي", "ک": "ك", "ـ": "",
    "ך": "כ", "ם": "מ", "ן": "נ", "ף": "פ", "ץ": "צ",
    # Kanji of names that are written both ways.
    "髙": "高", "﨑": "崎", "邊": "辺", "邉": "辺", "齋": "斎", "澤": "沢", "濱": "浜", "櫻": "桜", "嶋": "島",
    "國": "国", "廣": "広", "齊": "斉", "眞": "真", "惠": "恵", "德": "徳", "瀨": "瀬",
    # Apostrophes and the like within a name: O'Brien, D`Souza, Ng'ang'a.
    "'": "", "’": "", "‘": "", "`": "", "´": "", "ʼ": "", "ʻ": "", "׳": "", "״": "",
}  # fmt: skip
_KATAKANA_TO_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_FOLDED = str.maketrans(_LETTERS) | _KATAKANA_TO_HIRAGANA

_WRITTEN_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_LIKE_UMLAUT = re.compile("([aou])e")

_VOICED = {"\u3099", "\u309a"}  # dakuten: ガ is not カ
_UNSPACED = re.compile(
    r"[\u3005-\u3007\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]+"
)
"""Runs of Han, kana and Hangul, which are searched by character: names in them are written without spaces."""

_WORD = re.compile(r"[^\W_]+")


def folded(text: str) -> str:
    """Text without accents, capitals, vowel marks and widths: `MÜLLER`, `ﾔﾏﾀﾞ`, `مُحَمَّد` as `muller`, `やまだ`, `محمد`."""
    if text.isascii():
        return text.lower().replace("'", "").replace("`", "")
    apart = unicodedata.normalize("NFKD", text.replace("´", ""))
    bare = "".join(c for c in apart if c in _VOICED or not unicodedata.combining(c))
    # Composed again, so that Hangul syllables and voiced kana are one character each.
    together = unicodedata.normalize("NFC", bare).casefold().translate(_FOLDED)
    return together if together.isascii() else "".join(_digit(c) for c in together)


def _digit(character: str) -> str:
    # Arabic-Indic and other decimal digits.
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


@lru_cache(maxsize=KEPT)
def name_words(name: str) -> str:
    """The words of a person name (PS3.5 section 6.2: `alphabetic=ideographic=phonetic`, parts by `^`) as search text.

    An ideographic or phonetic group is also written in one, as people type it. A name with an umlaut is found as
    `ue` and as `u`, and one with `ue` as `u` too.
    """
    words: dict[str, None] = {}
    for group in name.split("="):
        parts = _words(folded(group))
        if len(parts) > 1 and all(_UNSPACED.fullmatch(part) for part in parts):
            words["".join(parts)] = None
        else:
            words.update(dict.fromkeys(parts))
        if not group.isascii():
            composed = unicodedata.normalize("NFC", group).casefold()
            words.update(dict.fromkeys(_words(folded(composed.translate(_WRITTEN_OUT)))))
    for word in list(words):
        if "e" in word and (plain := _LIKE_UMLAUT.sub(r"\1", word)) != word:
            words[plain] = None
    return _line(words)


@lru_cache(maxsize=KEPT // 16)
def id_words(identifier: str) -> str:
    """The words of an identifier, and all of it in one: `AB-123/4` is found as `123` and as `ab1234`."""
    parts = _words(folded(identifier))
    return _line([*parts, "".join(parts)] if len(parts) > 1 else parts)


@lru_cache(maxsize=KEPT)
def text_words(text: str) -> str:
    """The words of a description as search text."""
    return _line(_words(folded(text)))


def search_text(lines: Iterable[str]) -> str:
    """Lines of words as one text; a word is always behind a space, and no phrase reaches across lines."""
    return "\n".join(line for line in dict.fromkeys(lines) if line)


def _words(text: str) -> list[str]:
    found = []
    for run in _WORD.findall(text):
        # 山田MRI is two words: one is searched by character, the other by threes.
        at = 0
        for unspaced in _UNSPACED.finditer(run):
            found += [run[at : unspaced.start()], unspaced.group()]
            at = unspaced.end()
        found.append(run[at:])
    return [word for word in found if word]


def _line(words: Iterable[str]) -> str:
    return "".join(f" {word}" for word in words)


def terms(text: str) -> set[int]:
    """The terms of a search text, as numbers of 32 bits (signed: PostgreSQL's integer)."""
    found: set[int] = set()
    for word in text.split():
        found.update(_terms_of(word))
    return found


@lru_cache(maxsize=KEPT)
def _terms_of(word: str) -> tuple[int, ...]:
    if _UNSPACED.fullmatch(word):
        return tuple({term(c) for c in word} | {term(word[i : i + 2]) for i in range(len(word) - 1)})
    grams = {term(word[i : i + GRAM]) for i in range(len(word) - GRAM + 1)} or {term(f"^{word}$")}
    return tuple(grams | {term("^" + word[:1]), term("^" + word[:2])})


def term(text: str) -> int:
    """One term's number. Two texts may share one: a search looks at the text itself in the end."""
    number = crc32(text.encode("utf-8", "surrogatepass"))
    return number - (1 << 32) if number >= 1 << 31 else number


def tag(kind: str, value: str | int) -> int:
    """The term of a property that lists are narrowed by; no word makes the same text."""
    return term(f"\n{kind}\n{value}")


@dataclass(frozen=True, slots=True)
class Asked:
    """One word that somebody searches for: the terms that candidates have, and what their text must hold."""

    terms: frozenset[int]
    within: str  # with a space before it: the beginning of a word


def asked(query: str) -> list[Asked]:
    """What a search asks for, a word at a time; a compound such as `Jean-P` or `12/345` must stand in a row."""
    found: dict[str, Asked] = {}
    for token in SEPARATORS.split(query):
        parts = _words(folded(token))
        if not parts:
            continue
        runs = [parts] if not any(_UNSPACED.fullmatch(part) for part in parts) else [[part] for part in parts]
        for run in runs:
            wanted = _asked(run)
            found.setdefault(wanted.within, wanted)
    return list(found.values())[:MAX_WORDS]


def _asked(parts: list[str]) -> Asked:
    first, *rest = parts
    wanted = {number for part in parts for number in _begun(part)}
    # All but the last are whole words; short ones have a term of their own for that.
    wanted.update(term(f"^{part}$") for part in parts[:-1] if len(part) < GRAM and not _UNSPACED.fullmatch(part))
    anywhere = _UNSPACED.fullmatch(first) or (len(first) >= GRAM and not rest)
    within = " ".join(parts)
    return Asked(frozenset(wanted), within if anywhere else f" {within}")


def _begun(word: str) -> Iterable[int]:
    """Terms of every word that holds this one (from three letters on) or begins with it (below)."""
    if _UNSPACED.fullmatch(word):
        return [term(word)] if len(word) == 1 else [term(word[i : i + 2]) for i in range(len(word) - 1)]
    if len(word) < GRAM:
        return [term("^" + word)]
    return [term(word[i : i + GRAM]) for i in range(len(word) - GRAM + 1)]
