"""What is around the code: the example of settings, the image, the services, the locks."""

import os
import re
from dataclasses import fields
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from stockroom import config
from stockroom.config import Settings, environment_name, load_settings
from stockroom.core.background.engine import STOP_SECONDS

ROOT = Path(__file__).resolve().parents[1]
PROCESSES = ("web", "worker", "beat")
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-bench.lock")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(read("docker-compose.yml"))
    return document


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with their arguments, lines joined."""
    lines = [line for line in read("Dockerfile").splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(words[0], words[1]) for line in joined.splitlines() if (words := line.split(None, 1))]


def pins(lock: str) -> dict[str, str]:
    """Each requirement of a lock, with its marker, and the text that follows it."""
    requirements = re.split(r"\n(?=[a-z0-9])", read(lock))
    return {text.split(" \\\n")[0].strip(): text for text in requirements}


def names_and_versions(lock: str) -> set[tuple[str, str]]:
    pairs = (pin.split(";")[0].strip().split("==") for pin in pins(lock))
    return {(name, version) for name, version in pairs}


# The example of settings


def test_the_example_gives_each_setting_its_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = dict(re.findall(r"^# ([A-Z_]+)=(.*)$", read(".env.example"), re.MULTILINE))
    own = {
        "ENVIRONMENT": "testing",
        "SECRET_KEY": "secret",
        "JWT_SECRET_KEY": "other secret",
        "ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    }
    monkeypatch.setattr(config, "ROOT", tmp_path)
    monkeypatch.setattr(os, "environ", example | own)
    settings = load_settings()
    names = {setting: environment_name(setting) for setting in fields(Settings)}
    assert example.keys() == set(names.values())
    assert not [
        name
        for setting, name in names.items()
        if name not in own and getattr(settings, setting.name) != setting.default
    ]


# The image


def test_the_image_installs_only_what_the_lock_names_with_its_hash() -> None:
    installs = [what for name, what in instructions() if name == "RUN" and "pip install" in what]
    assert len(installs) == 1
    assert "--require-hashes" in installs[0]
    assert "--only-binary :all:" in installs[0]
    assert "--requirement requirements.lock" in installs[0]


def test_the_image_runs_as_an_unprivileged_user() -> None:
    last_stage = instructions()[[name for name, _ in instructions()].index("FROM", 1) :]
    users = [what for name, what in last_stage if name == "USER"]
    assert users
    assert int(users[-1].split(":")[0]) > 0


def test_the_image_is_for_production_unless_told_otherwise() -> None:
    environment = " ".join(what for name, what in instructions() if name == "ENV").split()
    assert {"ENVIRONMENT=production", "HOST=0.0.0.0"} <= set(environment)


def test_the_image_asks_itself_whether_it_is_alive() -> None:
    checks = [what for name, what in instructions() if name == "HEALTHCHECK"]
    assert len(checks) == 1
    assert "/healthz" in checks[0]


def test_everything_that_the_image_copies_is_there_and_not_ignored() -> None:
    copied = {
        source
        for name, what in instructions()
        if name == "COPY" and "--from" not in what
        for source in what.split()[:-1]
    }
    allowed = {line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")}
    assert copied == allowed
    assert all((ROOT / name).exists() for name in copied)


# The composition


def test_the_services_are_the_processes_the_migrations_and_two_servers(
    compose: dict[str, Any],
) -> None:
    processes = {"web", "worker", "beat"}
    assert set(compose["services"]) == {*processes, "migrate", "postgres", "redis"}
    assert compose["services"]["postgres"]["image"] == "postgres:15"
    assert compose["services"]["redis"]["image"] == "redis:7"


@pytest.mark.parametrize("server", ["postgres", "redis"])
def test_a_server_has_a_named_volume_a_health_check_and_no_port(
    compose: dict[str, Any], server: str
) -> None:
    service = compose["services"][server]
    names = {volume.split(":")[0] for volume in service["volumes"]}
    assert names <= set(compose["volumes"])
    assert service["healthcheck"]["test"]
    assert "ports" not in service


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_waits_for_the_migrations_and_for_both_servers(
    compose: dict[str, Any], process: str
) -> None:
    needed = compose["services"][process]["depends_on"]
    conditions = {name: how["condition"] for name, how in needed.items()}
    assert conditions == {
        "migrate": "service_completed_successfully",
        "postgres": "service_healthy",
        "redis": "service_healthy",
    }


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_cannot_write_to_its_image_nor_gain_rights(
    compose: dict[str, Any], process: str
) -> None:
    service = compose["services"][process]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]


def test_the_work_is_done_by_celery(compose: dict[str, Any]) -> None:
    for process in ("worker", "beat"):
        celery = ["celery", "--app", "stockroom.worker", process]
        assert compose["services"][process]["command"] == celery
        assert compose["services"][process]["healthcheck"] == {"disable": True}


def test_what_sends_to_the_outside_can_reach_it(compose: dict[str, Any]) -> None:
    networks = compose["services"]["worker"]["networks"]
    assert any(not (compose["networks"][name] or {}).get("internal") for name in networks)


def test_a_process_is_given_longer_to_stop_than_it_takes(compose: dict[str, Any]) -> None:
    for process in ("web", "worker"):
        grace = compose["services"][process]["stop_grace_period"]
        assert int(grace.removesuffix("s")) > max(30, STOP_SECONDS)


def test_the_migrations_are_a_step_of_their_own(compose: dict[str, Any]) -> None:
    migrate = compose["services"]["migrate"]
    assert migrate["command"] == ["flask", "db", "upgrade"]
    assert migrate["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert migrate["restart"] == "no"


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("postgres", "POSTGRES_PASSWORD"),
        *product([*PROCESSES, "migrate"], ["SECRET_KEY", "JWT_SECRET_KEY", "ENCRYPTION_KEYS"]),
    ],
)
def test_a_secret_comes_from_outside_and_the_start_is_refused_without_it(
    compose: dict[str, Any], service: str, name: str
) -> None:
    value = compose["services"][service]["environment"][name]
    assert re.fullmatch(rf"\$\{{{name}:\?[^}}]+\}}", value)


def test_no_address_holds_a_literal_password() -> None:
    passwords = re.findall(r"://[^\s:/@]*:(.*?)@", read("docker-compose.yml"))
    assert passwords
    assert all(password.startswith("${") for password in passwords)


# The locks


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_requirement_is_exact_and_has_hashes(lock: str) -> None:
    loose = [
        pin
        for pin, text in pins(lock).items()
        if not re.match(r"[a-z0-9._-]+(\[[a-z]+\])?==[^\s*]+( ; .+)?$", pin)
        or "--hash=sha256:" not in text
    ]
    assert pins(lock)
    assert not loose


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address_and_no_index(lock: str) -> None:
    strange = [
        line
        for line in read(lock).splitlines()
        if "://" in line or re.match(r"\s*(-[a-z]|--(?!hash=))", line)
    ]
    assert not strange


@pytest.mark.parametrize("lock", LOCKS[1:])
def test_the_locks_agree_on_what_they_share(lock: str) -> None:
    assert names_and_versions(LOCKS[0]) <= names_and_versions(lock)
