from stockroom.core.errors import BadRequest, NotFound, TooManyRequests, Unauthenticated


class BadCredentials(Unauthenticated):
    """Address and password do not belong together, or the account is not active. Which of
    them is wrong is not told, so that nobody learns who has an account.
    """

    slug = "bad-credentials"
    title = "Email address or password is wrong"
    # No account is as it was when its password was checked.
    constraint = "sessions.user_id"


class EmailNotVerified(Unauthenticated):
    """The password is right, but the address has not been proven to be yours. Follow the link in
    the mail; `/api/v1/auth/verify-email/request` sends another one.
    """

    slug = "email-not-verified"
    title = "The email address is not verified yet"


class TooManyAttempts(TooManyRequests):
    """Too many logins have failed, for this account or from your network. Wait as many seconds as
    `Retry-After` says; a new password (`/api/v1/auth/password/forgot`) lets you in at once.
    """

    slug = "too-many-attempts"
    title = "Too many failed logins"


class InvalidRefreshToken(Unauthenticated):
    """What was sent is not a refresh token of this service, or it has expired. Log in again."""

    slug = "invalid-refresh-token"
    title = "The refresh token is not valid"


class RefreshTokenReused(Unauthenticated):
    """The token was exchanged before, and the one after it as well: somebody else may have it.
    The session is ended. Log in again.
    """

    slug = "refresh-token-reused"
    title = "The refresh token was used before"


class SessionEnded(Unauthenticated):
    """The session was ended, has expired, or its account is no longer active. Log in again."""

    slug = "session-ended"
    title = "The session has ended"


class SessionNotFound(NotFound):
    """None of your open sessions has this id."""

    slug = "session-not-found"
    title = "No such session"


class TokenRequestRefused(BadRequest):
    """The token request breaks OAuth 2.0, or its grant is not valid: ``error`` says which, in
    the words of RFC 6749, 5.2.
    """

    slug = "token-request-refused"
    title = "No token for this request"

    def __init__(self, error: str, detail: str) -> None:
        super().__init__(detail, error=error, error_description=detail)
