"""A client that takes nothing any more: it is dropped, and the others go on."""

import json
from collections.abc import Iterator
from itertools import islice

import pytest

from tests.contract.conftest import OpenSite
from tests.stream.clients import Live, news, read
from tests.stream.frames import frames, shaken_hands
from tests.threads import until

# More than all the buffers on the way to the client.
COUNT, SIZE = 3000, 8000

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def patient(open_site: OpenSite) -> Iterator[Live]:
    """A site that finds a client too slow before it misses a pong."""
    with open_site() as site:
        yield Live(site)


def test_a_slow_socket_is_told_where_to_resume_and_the_others_go_on(patient: Live) -> None:
    start, before = patient.now(), patient.log.count('"too slow"')
    with shaken_hands(patient, f"after={start}") as slow, patient.socket(f"after={start}") as quick:
        patient.record(COUNT, SIZE)
        positions = [event["position"] for event in read(quick, COUNT)]
        assert positions == list(range(start + 1, start + 1 + COUNT))
        until(lambda: patient.log.count('"too slow"') > before)
        *texts, (kind, last) = (frame for frame in frames(slow) if frame[0] in {"text", "close"})
    got = json.loads(texts[-1][1])["position"]
    assert start < got < start + COUNT
    assert kind == "close"
    assert int.from_bytes(last[:2]) == 1013
    assert last[2:].decode() == f"too slow: resume with after={got}"


def test_a_slow_stream_is_dropped_and_the_others_go_on(patient: Live) -> None:
    start, before = patient.now(), patient.log.count('"too slow"')
    with (
        shaken_hands(patient, f"after={start}", way="stream"),
        patient.stream(f"after={start}") as quick,
    ):
        patient.record(COUNT, SIZE)
        positions = [message.id for message in islice(news(quick[1]), COUNT)]
        assert positions == list(range(start + 1, start + 1 + COUNT))
        until(lambda: patient.log.count('"too slow"') > before)
