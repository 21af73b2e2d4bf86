from stockroom.core.errors import Conflict, NotFound


class ApiKeyNotFound(NotFound):
    """None of your API keys has this id."""

    slug = "api-key-not-found"
    title = "No such API key"


class TooManyApiKeys(Conflict):
    """Your account has as many API keys as one can have; those that have expired count too.
    Revoke some that you do not need any more.
    """

    slug = "too-many-api-keys"
    title = "The account has no room for another API key"
