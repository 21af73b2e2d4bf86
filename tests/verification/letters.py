"""What a test reads in the mails of an application that are still waiting to be sent."""

import json
from dataclasses import dataclass

from flask import Flask

from stockroom.core.encryption import decrypt
from stockroom.verification.service import answer_requests
from tests.leaks import WATCH
from tests.mail.written import written_to


@dataclass(frozen=True, slots=True)
class Letter:
    template: str
    params: dict[str, str]


def letters_to(app: Flask, address: str) -> list[Letter]:
    """The oldest first; those that were asked for are written before."""
    with app.app_context():
        answer_requests()
        letters = [
            Letter(it.template, json.loads(decrypt(it.params or "")))
            for it in written_to(app, address)
        ]
    for letter in letters:
        WATCH.see(letter.params)
    return letters


def kinds_to(app: Flask, address: str) -> list[str]:
    return [letter.template.removeprefix("verification/") for letter in letters_to(app, address)]


def token_to(app: Flask, address: str, purpose: str) -> str:
    """The newest token that was mailed there for a purpose."""
    wanted = f"verification/{purpose}"
    return [it for it in letters_to(app, address) if it.template == wanted][-1].params["token"]
