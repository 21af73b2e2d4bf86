from stockroom.core.errors import Unauthenticated


class InvalidMailedToken(Unauthenticated):
    """The token was used, has expired, was replaced by a newer one, or is none. A new password and
    a new address make those from before worthless. Ask for another mail.
    """

    slug = "invalid-mailed-token"
    title = "The token from the mail is not good (any more)"
