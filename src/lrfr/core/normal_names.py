"""The one form in which the names of identities, templates, media and people are compared.

A name is text or a whole number. One source writes 11, another 11.0, which a table's empty cell made of it; one writes
an é as one character, another as two. Compared as they stand, these would be two people.
"""

import re
import unicodedata
from numbers import Integral, Real

WHOLE_FLOAT = re.compile(r"(-?(?:0|[1-9][0-9]*))\.0+")
NOBODY = {"nan", "NaN", "None", "<NA>"}  # what programs write in place of a name that is not there


def normal_name(value: object) -> str | None:
    """The form of a name that is compared and kept: text in Unicode's composed form (NFC) without blanks around it, a
    whole number as its digits. None stands for nobody's name, and so does empty text.

    Args:
        value: as a file has it.

    Raises:
        ValueError: it is no name; the message says why, and is made to stand behind "the identity".
    """
    if isinstance(value, str):
        return _normal_text(value)
    if value is None:
        return None
    if isinstance(value, Integral) and not isinstance(value, bool):
        return str(int(value))
    if isinstance(value, Real) and not isinstance(value, bool) and float(value).is_integer():
        return str(int(float(value)))
    raise ValueError(f"{value!r} is no name: a name is text or a whole number")


def _normal_text(value: str) -> str | None:
    text = unicodedata.normalize("NFC", value.removeprefix("\ufeff").strip())
    if text in NOBODY:
        raise ValueError(f"'{text}' is what programs write where a name is missing: leave it empty for nobody")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise ValueError(f"{text!r} is no name: it holds control characters, or is not Unicode")
    whole = WHOLE_FLOAT.fullmatch(text)
    return str(int(whole[1])) if whole else text or None
