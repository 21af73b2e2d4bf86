"""One PostgreSQL data folder: made, started and stopped with PostgreSQL's own tools."""

import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess

from stockroom.embedded import binaries
from stockroom.embedded.account import Account
from stockroom.embedded.conf import MAIN_FILE, SUPERUSER, write_conf
from stockroom.embedded.errors import EmbeddedServerError
from stockroom.embedded.place import within_reach
from stockroom.embedded.postmaster import (
    Postmaster,
    discard_socket,
    read_postmaster,
    socket_folder,
)

LOCALES = ("C.UTF-8", "C")
LOG_FILE = "server.log"
LOG_BYTES = 10 * 1024 * 1024
START_SECONDS = 120
STOP_SECONDS = 60
LEFTOVER_SECONDS = 20
STAGING_PREFIX = "data-new-"


class Cluster:
    """The cluster in `place`, whose files belong to `account`.

    The caller sees to it that nobody else starts or stops it. Methods raise EmbeddedServerError
    with what the tool or the server wrote, or OSError.
    """

    def __init__(self, place: Path, account: Account, settings: Mapping[str, str]) -> None:
        self.data = place / "data"
        self._place = place
        self._account = account
        self._settings = settings
        self._log = place / LOG_FILE

    def answering(self) -> Postmaster | None:
        """The server, if it runs and takes connections."""
        postmaster = read_postmaster(self.data)
        return postmaster if postmaster is not None and postmaster.answers else None

    def launch(self) -> None:
        """Start the server, on new data if there is none, and wait until it answers."""
        programs = self._programs()
        if not (self.data / "PG_VERSION").exists():
            self._create(programs)
        self._clear_leftovers(programs)
        self._prepare_log()
        sockets = socket_folder(self.data, self._account)
        write_conf(self._place, self._account, sockets, self._settings)
        try:
            self._start(programs)
        except BaseException:
            discard_socket(sockets)
            raise

    def halt(self) -> None:
        """Stop the server, breaking its connections off; nothing happens if it does not run."""
        postmaster = self.answering()
        if postmaster is not None and postmaster.sockets is not None:
            self._stop(self._programs())
            discard_socket(postmaster.sockets)

    def _programs(self) -> Path:
        version = self.data / "PG_VERSION"
        major = int(version.read_text().split(".")[0]) if version.exists() else None
        found = binaries.find(major)
        return within_reach(found, self._account, self._place).folder

    def _create(self, programs: Path) -> None:
        """Make the data folder; it gets its name when complete, so a broken-off attempt is void."""
        self._remove_abandoned()
        staging = Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=self._place))
        self._account.own(staging)
        for locale in LOCALES:
            done = self._initdb(programs, staging, locale)
            if done.returncode == 0:
                staging.rename(self.data)
                # An initdb that outlived its killed parent may have gone on writing; not any more.
                self._remove_abandoned()
                return
            if "locale" not in done.stderr:
                break
        shutil.rmtree(staging, ignore_errors=True)
        raise EmbeddedServerError(
            f"initdb could not make a database in {self._place}.", done.stderr
        )

    def _remove_abandoned(self) -> None:
        for abandoned in self._place.glob(f"{STAGING_PREFIX}*"):
            shutil.rmtree(abandoned, ignore_errors=True)

    def _initdb(self, programs: Path, staging: Path, locale: str) -> CompletedProcess[str]:
        options = ["--username", SUPERUSER, "--auth-local=peer", "--auth-host=reject"]
        options += ["--encoding=UTF8", "--locale-provider=libc", f"--locale={locale}"]
        options += ["--lc-messages=C", "--data-checksums"]
        if self._settings.get("fsync") == "off":
            options.append("--no-sync")
        # Paths are relative to the place: the tools hand them to a shell without escaping them.
        return self._account.run(
            [programs / "initdb", *options, "-D", staging.name], cwd=self._place
        )

    def _clear_leftovers(self, programs: Path) -> None:
        """Deal with what a server that no longer answers has left behind."""
        old = read_postmaster(self.data)
        if old is None:
            return
        if self._account.works_in(old.pid, self.data):
            # Alive but out of reach: it is shutting down, or somebody removed its socket.
            self._stop(programs)
        # Its process id may be another's by now, or a zombie's, which PostgreSQL would take for a
        # running server. It finds processes that really are left over by their shared memory.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        discard_socket(old.sockets or self.data)

    def _prepare_log(self) -> None:
        self._log.touch(0o600)
        self._account.own(self._log)
        if self._log.stat().st_size > LOG_BYTES:
            self._log.write_bytes(b"")

    def _start(self, programs: Path) -> None:
        options = ["-l", LOG_FILE, "-o", f"-c config_file={MAIN_FILE}"]
        deadline = time.monotonic() + LEFTOVER_SECONDS
        while True:
            logged = self._log.stat().st_size
            done = self._pg_ctl(programs, "start", START_SECONDS, *options)
            if done.returncode == 0:
                return
            said = self._log.read_bytes()[logged:].decode(errors="replace")
            # Processes of a killed server end by themselves, a moment later than it.
            if "pre-existing shared memory" not in said or time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"The private PostgreSQL in {self._place} did not start.", said or done.stderr
                )
            time.sleep(0.1)

    def _stop(self, programs: Path) -> None:
        done = self._pg_ctl(programs, "stop", STOP_SECONDS, "-m", "fast")
        if done.returncode != 0 and read_postmaster(self.data) is not None:
            raise EmbeddedServerError(
                f"The private PostgreSQL in {self._place} did not stop.", done.stderr
            )

    def _pg_ctl(
        self, programs: Path, act: str, seconds: int, *options: str
    ) -> CompletedProcess[str]:
        waiting = ["-s", "-w", "-t", str(seconds), "-D", "data"]
        return self._account.run([programs / "pg_ctl", act, *waiting, *options], cwd=self._place)
