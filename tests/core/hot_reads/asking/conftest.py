"""A loop, and who asks for it."""

from collections.abc import Iterator

import pytest
from flask import Flask

from stockroom.core.hot_reads.asking import Asker
from stockroom.core.hot_reads.asking_once import AskingOnce
from tests.core.hot_reads.asking.loops import Loop


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    # With it go the askers that it has called, and their connections.
    loop.poller.close()


@pytest.fixture
def asker(app: Flask, app_context: None, loop: Loop) -> Asker:
    return Asker(app, loop)


@pytest.fixture
def once(asker: Asker) -> AskingOnce:
    return AskingOnce(asker)
