"""What the log tells of mails, and what it does not."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from stockroom.config import Settings
from stockroom.core.logging import configure
from tests.mail.conftest import MakeMailer


@pytest.fixture(autouse=True)
def usual_logging(app: Flask, settings: Settings) -> Iterator[None]:
    yield
    configure(settings)


def test_what_a_mail_is_made_of_does_not_reach_the_log(
    make_mailer: MakeMailer, tmp_path: Path
) -> None:
    log_file = tmp_path / "stockroom.log"
    mailer = make_mailer(log_file=log_file, log_level=logging.INFO)
    mailer.write(template="webhooks/disabled", host="h.example", reason="hush", webhook_id="1")
    mailer.send_due()
    logged = log_file.read_text()
    assert "h.example" in logged
    assert "hush" not in logged
