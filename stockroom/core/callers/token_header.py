"""Access tokens at the border: verified once, and who stands behind them looked up each time.

A feature above tells with ``bind_token_finder`` how to find the caller of a token.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from flask_jwt_extended import decode_token, get_unverified_jwt_headers

from stockroom.core.callers.digests import digest_of
from stockroom.core.context import belongings
from stockroom.core.permissions import Caller
from stockroom.core.recent import Recent
from stockroom.core.sql.question import Question

MOST_KNOWN = 10_000
RECENT_SECONDS = 1.0
"""How old the state of user and session may be where a recent one will do."""
RENEWED_SECONDS = 0.5
_KEY = "stockroom.token_finder"

Part = Mapping[str, Any]
CallerOf = Callable[[Part, Part], Question[Caller | None] | None]
"""Asks who may act by a token with this header and these claims; None if nobody may (any more),
which for some tokens is known without asking.
"""


class IsSignedWell(Protocol):
    def __call__(self, header: Part, *, may_ask: bool) -> bool:
        """Whether the key that a token's header names still verifies.

        :param may_ask: whether the database may be asked; no is the answer where it has to be.
        """


@dataclass(slots=True)
class Verified:
    """A token that was read with care: its signature, its times, for whom and by whom it is."""

    header: Part
    claims: Part
    standing: tuple[Caller, float] | None = None
    """Who stood behind it last, and when that was, in seconds of ``time.monotonic``."""
    is_renewed: bool = False
    """Whether somebody has gone to ask who stands behind it now."""
    nobody_at: float = -math.inf
    """When nobody stood behind it, in seconds of ``time.monotonic``."""

    def keep(self, caller: Caller | None, moment: float) -> None:
        self.standing = (caller, moment) if caller else None
        self.is_renewed = False
        if caller is None:
            self.nobody_at = moment


class TokenFinder:
    """Finds callers, and knows those tokens that it verified last, by their digests."""

    def __init__(self, caller_of: CallerOf, is_signed_well: IsSignedWell) -> None:
        self._caller_of = caller_of
        self._is_signed_well = is_signed_well
        self._known = Recent[bytes, Verified](MOST_KNOWN)

    def verified(self, token: str) -> Verified:
        """:raises MALFORMED_TOKEN: if it is not good (any more)."""
        digest = digest_of(token)
        known = self._known.get(digest)
        if known and self._is_good(known, may_ask=True):
            return known
        self._known.drop(digest)
        claims = decode_token(token)
        fresh = Verified(get_unverified_jwt_headers(token), claims)
        self._known.keep(digest, fresh)
        return fresh

    def find(self, token: str) -> Caller | None:
        """Its caller as the database has it now. Errors as for ``verified``."""
        verified, moment = self.verified(token), time.monotonic()
        question = self._caller_of(verified.header, verified.claims)
        caller = question.answer() if question else None
        verified.keep(caller, moment)
        return caller

    def question(self, token: str) -> Question[Caller | None] | None:
        """What to ask for its caller, who is then known to ``find_recent``, without waiting.

        None for a token that is not known here, or not known to be good at this moment, or behind
        which nobody stood just now.
        """
        known, moment = self._known.get(digest_of(token)), time.monotonic()
        if known is None or not self._is_good(known, may_ask=False):
            return None
        if moment - known.nobody_at <= RENEWED_SECONDS:
            return None
        question = self._caller_of(known.header, known.claims)
        if question is None:
            return None

        def kept(caller: Caller | None) -> Caller | None:
            known.keep(caller, moment)
            return caller

        return question.then(kept)

    def find_recent(self, token: str, *, may_ask: bool = True) -> Caller | None:
        """Its caller, as the database had it within the last second.

        None as well for a token that was not verified before. Errors as for ``verified``.

        :param may_ask: whether the database may be asked, which is due after half of that second.
            Of those who may not, the first to come then gets None, and the others need not wait
            until somebody has asked.
        """
        known = self._known.get(digest_of(token))
        if known is None:
            return None
        if known.standing and known.claims["exp"] > time.time():
            caller, moment = known.standing
            age = time.monotonic() - moment
            if age <= RENEWED_SECONDS:
                return caller
            if not may_ask and age <= RECENT_SECONDS and known.is_renewed:
                return caller
        known.is_renewed = True
        return self.find(token) if may_ask else None

    def _is_good(self, known: Verified, *, may_ask: bool) -> bool:
        """Whether the token has not expired, and its key still verifies."""
        is_signed_well = self._is_signed_well(known.header, may_ask=may_ask)
        return is_signed_well and known.claims["exp"] > time.time()


def bind_token_finder(
    extensions: dict[str, object], caller_of: CallerOf, is_signed_well: IsSignedWell
) -> None:
    extensions[_KEY] = TokenFinder(caller_of, is_signed_well)


def token_finder() -> TokenFinder:
    """The one of the application that is running this code."""
    finder = belongings()[_KEY]
    assert isinstance(finder, TokenFinder)  # noqa: S101 - tells the type checker
    return finder
