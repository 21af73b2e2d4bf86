"""What is kept on people: each feature tells what it keeps, and forgets it when it has to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from stockroom.core.context import belongings

_KEY = "stockroom.personal_data"


@dataclass(frozen=True, slots=True)
class Person:
    """Whom it is about."""

    user_id: UUID
    email: str


@dataclass(frozen=True, slots=True)
class PersonalData:
    """What one feature keeps on a person.

    :ivar name: what the part is called in an export.
    :ivar export: the part, in values that JSON knows; of secrets only that there are some.
    :ivar erase: forgets it, within a transaction that has locked the account; what the books need
        stays, without a name on it. Called twice, as what is under way the first time is not seen;
        by then the account has another address.
    """

    name: str
    export: Callable[[Session, Person], Any]
    erase: Callable[[Session, Person], object]


def bind_personal_data(extensions: dict[str, object], parts: Sequence[PersonalData]) -> None:
    extensions[_KEY] = tuple(parts)


def bound_personal_data() -> tuple[PersonalData, ...]:
    """The parts of the application that is running this code."""
    parts: tuple[PersonalData, ...] = belongings()[_KEY]
    return parts
