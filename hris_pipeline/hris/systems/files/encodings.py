"""What a text file is written in, and what may be said to somebody whose file is no UTF-8.

An encoding is proposed only where it makes words of the file's own bytes: letters of one script,
capitals where capitals are. One that merely fits would spoil names without an error.
"""

import codecs
import re
import unicodedata
from itertools import pairwise
from pathlib import Path

from hris_pipeline.hris.systems.files.places import CHUNK, Refused

_BOMS = (  # the long ones first
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXTS = (  # what files of other kinds begin with, what they are, and options.format
    (b"PK\x03\x04", "an Excel file (.xlsx) or a zip archive (.zip)", "xlsx"),
)
_CANDIDATES = (  # the usual ones first
    *(
        "cp1252",
        "cp1250",
        "cp1251",
        "cp1253",
        "cp1254",
        "cp1257",
        "cp1255",
        "cp1256",
        "cp1258",
        "cp874",
    ),
    *(
        "iso8859-15",
        "iso8859-2",
        "iso8859-5",
        "iso8859-7",
        "iso8859-9",
        "koi8-r",
        "cp850",
        "cp852",
        "cp866",
        "mac-roman",
    ),
)
_EAST_ASIAN_CANDIDATES = ("cp932", "gb18030", "big5", "cp949")
_ALPHABETS = tuple(
    frozenset(letters)
    for letters in (
        "äöüß",  # German
        "àâæçèéêëîïôœùûüÿ",  # French
        "áéíñóúü",  # Spanish
        "áâãàçéêíóôõú",  # Portuguese
        "àèéìíîòóùú",  # Italian
        "áéëïíóöü",  # Dutch
        "æøåéäöü",  # Danish, Norwegian
        "åäöéü",  # Swedish
        "áðéíóúýþæö",  # Icelandic
        "ąćęłńóśźż",  # Polish
        "áčďéěíňóřšťúůýž",  # Czech
        "áäčďéíĺľňóôŕšťúýž",  # Slovak
        "áéíóöőúüű",  # Hungarian
        "ăâîșțşţ",  # Romanian
        "čćđšž",  # Croatian, Slovenian
        "çğıöşüâîû\u0307",  # Turkish
        "ąčęėįšųūž",  # Lithuanian
        "āčēģīķļņšūž",  # Latvian
        "äõöüšž",  # Estonian, Finnish
        "çë",  # Albanian
    )
)
_SAMPLE = 256 << 10  # bytes of lines that are not plain ASCII
_ASCII = bytes(range(32, 127))
_SIGNS = frozenset(  # of offices everywhere
    "\u2018\u2019\u201a\u201c\u201d\u201e\u2013\u2014\u2026\u20ac\u00a7\u00b0\u00a0\u2116"
)
_RARE = frozenset("\u0192\u00aa\u00ba")  # letters that wrong readings are full of
_LETTERS = frozenset({"Lu", "Ll", "Lt", "Lo", "Mn", "Mc"})
_WORD = re.compile(r"[^\x00-@\[-`{-\x7f\u2000-\u206f\u20ac\xa0\xa7\xb0\u2116]+")
_EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL"})


def find(path: Path, name: str, given: str) -> str:
    """By what a text file can be read: what its BOM says, else UTF-8 if every byte fits, else what
    the company file says.
    """
    codec = codecs.lookup(given).name
    with path.open("rb") as file:
        start = file.read(4096)
    for bom, encoding in _BOMS:
        if start.startswith(bom):
            if encoding == "utf-32" != codec:
                raise Refused(
                    f"has a file {name} in UTF-32",
                    "Have it written as UTF-8, or set options.encoding to utf-32.",
                )
            return encoding
    if codec in {"utf-16", "utf-32"}:  # without a BOM the zeros of plain text tell the order
        return f"{codec}-be" if start[:1] == b"\0" else f"{codec}-le"
    if not _is_ascii_compatible(codec):
        return given
    for begin, what, kind in _NO_TEXTS:
        if start.startswith(begin):
            raise Refused(
                f"has a file {name} that is no text, but {what}",
                f"Have it named so, or set options.format to {kind}.",
            )
    if codec == "utf-8" and start[:64].count(0) * 3 > len(start[:64]):
        raise Refused(
            f"has a file {name} with a zero in every other byte", "Set options.encoding to utf-16."
        )
    wrong = _first_wrong_byte(path)
    if wrong is None:
        return "utf-8"
    if codec == "utf-8":
        raise Refused(f"has a file {name} that is not UTF-8 (byte {wrong})", remedy(path))
    return given


def with_byte_order(encoding: str, start: bytes) -> str:
    """An encoding that writes no BOM, for one that does, from how the file starts."""
    codec = codecs.lookup(encoding).name
    if codec not in {"utf-16", "utf-32"}:
        return "utf-8" if codec == "utf-8-sig" else encoding
    return (
        f"{codec}-be"
        if start.startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE))
        else f"{codec}-le"
    )


def doubt(path: Path, encoding: str) -> str | None:
    """What to do where an encoding makes no words of a file; None where it does."""
    if codecs.lookup(encoding).name in {"utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"}:
        return None
    text = _read(_sample(path), encoding)
    return None if text is not None and is_plausible(text) else remedy(path)


def _is_ascii_compatible(codec: str) -> bool:
    """Whether plain English looks the same in it as in UTF-8; not so where bytes switch alphabets,
    or in EBCDIC.
    """
    if codec.startswith(("iso2022", "hz", "utf-7", "utf_7")):
        return False
    try:
        return _ASCII.decode(codec).encode() == _ASCII or codec in {
            "shift_jis",
            "shift_jisx0213",
            "shift_jis_2004",
            "johab",
        }
    except UnicodeDecodeError:
        return False


def _first_wrong_byte(path: Path) -> int | None:
    decoder, done = codecs.getincrementaldecoder("utf-8")(), 0
    with path.open("rb") as file:
        try:
            while chunk := file.read(CHUNK):
                waiting = len(decoder.getstate()[0])
                decoder.decode(chunk)
                done += len(chunk)
            waiting = len(decoder.getstate()[0])
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as problem:
            return done - waiting + problem.start
    return None


def remedy(path: Path) -> str:
    """What to set ``options.encoding`` to: the encoding is named only where one reading of the file
    is the likely one.
    """
    likely = proposed(_sample(path))
    whole = "or have it written as UTF-8"
    if likely:
        return f"Set options.encoding to {likely}, in which its letters make words, {whole}."
    return (
        f"Set options.encoding to what it is written in, {whole}. Its letters alone do not tell "
        "which it is: ask the sender, or open it in an editor and compare a name with letters "
        "that English does not have."
    )


def proposed(content: bytes) -> str | None:
    """The usual encoding that makes words of these bytes, in the fewest languages; None where there
    is none, or a tie.
    """
    for candidates in (_CANDIDATES, _EAST_ASIAN_CANDIDATES):
        readings: dict[str, str] = {}
        for encoding in candidates:
            text = _read(content, encoding)
            if text is not None and text not in readings and is_plausible(text):
                readings[text] = encoding
        ranked = sorted(
            (_languages(text), place, encoding)
            for place, (text, encoding) in enumerate(readings.items())
        )
        if ranked:
            return ranked[0][2] if len(ranked) == 1 or ranked[0][0] < ranked[1][0] else None
    return None


def _sample(path: Path) -> bytes:
    found, size = [], 0
    with path.open("rb") as file:
        for line in file:
            if not line.isascii():
                found.append(line[:CHUNK])
                size += len(found[-1])
                if size > _SAMPLE:
                    break
    return b"".join(found)


def _read(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def is_plausible(text: str) -> bool:
    """Whether what is not ASCII in a text are letters of one script in words of one language, and
    signs that offices use.
    """
    scripts: set[str] = set()
    for character in {each for each in text if not each.isascii()}:
        if unicodedata.category(character) in _LETTERS and character not in _RARE:
            scripts.add(_script(character))
        elif character not in _SIGNS:
            return False
    if len(scripts - _EAST_ASIAN) + bool(scripts & _EAST_ASIAN) > 1:
        return False
    return all(_is_word(word, scripts) for word in _words(text))


def _words(text: str) -> set[str]:
    """What stands between blanks and signs and is not ASCII."""
    return {word for word in _WORD.findall(text) if not word.isascii()}


def _is_word(word: str, scripts: set[str]) -> bool:
    # a sign above nothing; a final sigma that is not final
    if unicodedata.category(word[0])[0] == "M" or "\u03c2" in word[:-1]:
        return False
    if any(one.islower() and other.isupper() for one, other in pairwise(word[1:])) and not _camel(
        word
    ):
        return False
    if word[:1].islower() and any(each.isupper() for each in word[1:]):
        return False
    if scripts != {"LATIN"}:
        return not any(each.isascii() for each in word)
    return any(_foreign(word) <= alphabet for alphabet in _ALPHABETS)


def _camel(word: str) -> bool:
    """Whether the one capital within a word stands after a beginning such as Mac or De, and is
    followed by small letters.
    """
    place = next((n for n in range(1, len(word)) if word[n].isupper()), 0)
    return 2 <= place <= 3 and word[place + 1 :].islower()


def _foreign(word: str) -> frozenset[str]:
    return frozenset(each for each in word.lower() if not each.isascii())


def _languages(text: str) -> int:
    """How many alphabets it takes to write a text's words; 0 of a script that has one only."""
    left = {_foreign(word) for word in _words(text)}
    number = 0
    while left:
        best = max(_ALPHABETS, key=lambda alphabet: sum(letters <= alphabet for letters in left))
        rest = {letters for letters in left if not letters <= best}
        if len(rest) == len(left):
            return number
        left, number = rest, number + 1
    return number


def _script(character: str) -> str:
    return unicodedata.name(character, "?").partition(" ")[0]
