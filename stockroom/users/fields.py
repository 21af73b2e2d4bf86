import unicodedata
from typing import Any

from marshmallow import ValidationError, fields

from stockroom.core.fields import require_at_most
from stockroom.users.passwords import LONGEST, SHORTEST


class Password(fields.String):
    """A password: at most 128 characters of any kind, NFC-normalised, never trimmed.

    NIST SP 800-63B, 3.1.1.2: no rules of composition; Unicode is accepted and normalised.

    :param shortest: characters; a new password needs 8, one that is merely tried just one.
    """

    def __init__(self, shortest: int = SHORTEST, **kwargs: Any) -> None:
        self.shortest = shortest
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        sent = super()._deserialize(value, attr, data, **kwargs)
        # Before it is normalised, which takes a minute for a million combining marks.
        require_at_most(LONGEST, sent)
        password = unicodedata.normalize("NFC", sent)
        if any("\ud800" <= character <= "\udfff" for character in password):
            raise ValidationError("Holds characters that text cannot have.")
        if min(len(sent), len(password)) < self.shortest:
            raise ValidationError(f"Shorter than {self.shortest} characters.")
        require_at_most(LONGEST, password)
        return password

    def openapi(self) -> dict[str, Any]:
        return {
            "format": "password",
            "minLength": self.shortest,
            "maxLength": LONGEST,
            "writeOnly": True,
        }
