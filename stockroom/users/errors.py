from stockroom.core.errors import Conflict, NotFound


class UserNotFound(NotFound):
    """There is no such account."""

    slug = "user-not-found"
    title = "No such user"


class EmailTaken(Conflict):
    """Another account has this address, perhaps in another case. Log in with it instead."""

    slug = "email-taken"
    title = "This email address has an account"
    constraint = "uq_users_email"


class LastAdministrator(Conflict):
    """Nobody could undo this: it would leave no active administrator. Name another one first."""

    slug = "last-administrator"
    title = "The last administrator must stay"
