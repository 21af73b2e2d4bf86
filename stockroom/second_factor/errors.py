from stockroom.core.errors import Conflict, NotFound, Unauthenticated


class SecondFactorRequired(Unauthenticated):
    """The password is right, and the account has a second factor: send its `code` as well, or one
    of its recovery codes.
    """

    slug = "second-factor-required"
    title = "A code of the second factor is missing"


class BadCode(Unauthenticated):
    """The code is not one of this moment, or was used before. Each code is good once: wait for the
    next one. The clock of the device that makes the codes may be wrong.
    """

    slug = "bad-code"
    title = "The code is not right"


class CodeNotConfirmed(Conflict):
    """The code is not one of this moment: the second factor is not switched on yet. Try the next
    code; the clock of the device that makes the codes may be wrong.
    """

    slug = "code-not-confirmed"
    title = "The code does not confirm the second factor"


class SecondFactorEnabled(Conflict):
    """The account has a second factor. Switch it off first, to set up another one."""

    slug = "second-factor-enabled"
    title = "There is a second factor already"


class NoSecondFactor(NotFound):
    """The account has no second factor, or none that waits to be confirmed."""

    slug = "no-second-factor"
    title = "No second factor"
