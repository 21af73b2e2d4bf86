import unicodedata

from werkzeug.routing import PathConverter

_LONGEST = 4 * 64
"""What is asked for has 64 characters at most; a system may send each in up to four parts (NFD)."""


class TextConverter(PathConverter):
    """Any text that a column can hold: slashes wherever they stand, and no NUL. What is asked for
    is NFC-normalised and trimmed, as all that is stored.
    """

    regex = "[^\x00]+"
    part_isolating = False

    def to_python(self, value: str) -> str:
        # Of a longer one nothing is found, and the time to normalise it grows with its square.
        return unicodedata.normalize("NFC", value).strip() if len(value) <= _LONGEST else value
