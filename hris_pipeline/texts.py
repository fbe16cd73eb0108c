"""How text is cleaned and compared, for one value. ``warehouse/texts.sql`` does the same for whole
columns.

A test holds both against each other. No library is asked: both sides must agree to the letter.
"""

import re
from unicodedata import normalize

# What Unicode calls white space, but for the plain blank. A line break or a tab within a name is a
# blank.
_BLANKS = "\t-\r\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# Controls that are no white space, and what Unicode asks to ignore when text is shown: soft hyphen,
# zero-width and direction marks, fillers, tags. The two joiners (U+200C, U+200D) are not here: some
# scripts cannot be written without.
_UNSEEN = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u2065\u2066-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f"
)
_JOINERS = "\u200c\u200d"

UNSEEN_IN_ADDRESSES = f"{_BLANKS}{_UNSEEN}{_JOINERS}"
"""For a character class: what cannot be part of an e-mail address although a screen does not show
it.
"""

_ODD = re.compile(f"[{_BLANKS}{_UNSEEN}{_JOINERS}]|  |^ | $")
_ANY_BLANKS = re.compile(f"[ {_BLANKS}]+")
_ANY_UNSEEN = re.compile(f"[{_UNSEEN}]+")
# Between letters of scripts that do not join, a joiner says nothing.
_UNJOINED = "\x00-\u05ff\u1e00-\u1fff\u2000-\u200b\u200e-\u206f"
_USELESS = re.compile(f"(^|[{_UNJOINED}])[{_JOINERS}]+|[{_JOINERS}]+(?=$|[{_UNJOINED}])")
_ENDS = re.compile(f"^[ {_BLANKS}{_UNSEEN}{_JOINERS}]+|[ {_BLANKS}{_UNSEEN}{_JOINERS}]+$")
_WRAPPED = re.compile(r"^(?:mailto:)?<([^<>]*)>$|^mailto:([^<>]*)$", re.IGNORECASE)
# by DuckDB's trim
_TRIMMED = (
    " \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u202f\u205f\u3000"
)
SIGNS = "\u2018\u2019\u02bc\uff07\u3002\uff0e\uff61"
"""Apostrophes and dots of print, which stand for plain ones in an address."""
_SAME = str.maketrans(SIGNS, "''''...")


def clean_text(text: str) -> str:
    """Text as people see it: NFC, white space of any kind one blank, without what no screen
    shows.
    """
    if _ODD.search(text):
        text = _ANY_UNSEEN.sub("", _ANY_BLANKS.sub(" ", text))
        text = _USELESS.sub(r"\1", text)
        text = re.sub(" {2,}", " ", text).strip(" ")
    return normalize("NFC", text)


def strip_unseen(text: str) -> str:
    """Text without white space and unseen characters around it."""
    return _ENDS.sub("", text)


def clean_address(text: str) -> str:
    """An address without what stands around it: blanks, unseen characters, ``mailto:`` and angle
    brackets.

    What stands within it stays, so that it is held back and never becomes somebody else's address.
    """
    text = _ENDS.sub("", text)
    if found := _WRAPPED.match(text):
        text = _ENDS.sub("", found[1] if found[1] is not None else found[2])
    # DuckDB ends a text there in "lower"
    return normalize("NFC", normalize("NFC", text.replace("\0", " ")).lower())


def email_key(address: str) -> str:
    """What all ways to write one mailbox have in common."""
    address = address.strip(_TRIMMED) if " " in address else address
    key = normalize("NFC", normalize("NFC", address).lower())
    if not key.isascii():
        key = key.translate(_SAME)
    if "xn--" in key:
        local, at, domain = key.partition("@")
        key = local + at + domain_key(domain)
    return key.replace("@googlemail.com", "@gmail.com")


def domain_key(domain: str) -> str:
    """An internationalised domain with its letters, where it is written in ASCII (``xn--``)."""
    return ".".join(map(_label, domain.split(".")))


def _label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return normalize(
            "NFC", normalize("NFC", label[4:].encode("ascii").decode("punycode")).lower()
        )
    except UnicodeError:
        return label
