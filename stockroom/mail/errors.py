"""Why a mail is not sent, and what follows from it."""


class MailNotSent(Exception):
    """The message says why, in words for an operator."""


class MailRefused(MailNotSent):
    """It never will be: the server does not want this mail, or there is none to send."""


class MailDeferred(MailNotSent):
    """The server does not take this mail now; others it may take."""


class ServerAway(MailNotSent):
    """The server does not answer, or takes no mail from us at all."""
