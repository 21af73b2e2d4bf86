"""What proxies that are trusted say of a request: whence it came, how, and to which host."""

from werkzeug.middleware.proxy_fix import ProxyFix


class Proxies(ProxyFix):
    """Werkzeug's, but for how the headers are read.

    Each proxy adds what it knows after a comma. Werkzeug reads a list of HTTP's, in which quotation
    marks hold commas: one that the client has sent would hide what the proxy adds.
    """

    def _get_real_value(self, trusted: int, value: str | None) -> str | None:
        values = (value or "").split(",")
        return values[-trusted].strip() if 0 < trusted <= len(values) else None
