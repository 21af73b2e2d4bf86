"""The metrics of several processes, told by whichever is asked."""

import os
import signal
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.contract.conftest import OpenSite, Site
from tests.contract.web import serving
from tests.serving.processes import workers_of
from tests.threads import until

REQUESTS = "stockroom_http_request_duration_seconds_count"


def counted(site: Site, endpoint: str) -> float:
    """How many requests all processes together have answered."""
    families = text_string_to_metric_families(site.web.get("/metrics").body.decode())
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == REQUESTS and sample.labels["endpoint"] == endpoint
    )


def files(site: Site) -> list[Path]:
    return [*(site.settings.instance_path / "metrics").rglob("*.db")]


def test_whichever_process_is_asked_tells_for_all(pair: Site) -> None:
    before = counted(pair, "health.readyz")
    for number in range(1, 11):
        pair.web.get("/readyz")
        assert counted(pair, "health.readyz") == before + number


def test_a_process_that_dies_takes_its_state_along_and_leaves_its_counts(pair: Site) -> None:
    pair.web.get("/readyz")
    before = counted(pair, "health.readyz")
    victim = workers_of(pair)[0]
    os.kill(victim, signal.SIGKILL)
    gauge = f"gauge_livesum_{victim}.db"
    until(lambda: gauge not in {file.name for file in files(pair)})
    until(lambda: len(workers_of(pair)) == 2)
    assert counted(pair, "health.readyz") == before


@pytest.mark.heavy
def test_a_start_begins_anew_and_the_end_leaves_no_file(open_site: OpenSite) -> None:
    with open_site() as site:
        site.web.get("/readyz")
        assert counted(site, "health.readyz") == 1
        (folder,) = {file.parent for file in files(site)}
    assert not files(site)
    folder.mkdir(parents=True)
    # What a gunicorn leaves that was killed.
    (folder / "counter_1.db").write_bytes(b"remains")
    with serving(site.settings) as web:
        assert web.get("/metrics").status == 200
        assert counted(site, "health.readyz") == 0
