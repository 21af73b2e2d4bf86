"""gunicorn's worker with threads, none of which waits for a client that is slow to ask.

gunicorn gives a thread to every connection that has begun to speak, and the thread waits for the
rest as long as the client likes: as many slow clients as there are threads, and nobody else is
served. Here the loop that watches over all connections reads the head of a request, and a thread
gets it once it is whole. A body is read by the thread, which has to have it in time.

What needs no thread (``at_once``) is answered by the loop: to wake a thread, and to be woken by it,
takes longer than such an answer.

Nothing of the application is imported here: gunicorn's first process needs the class as well.
"""

import sys
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import nullcontext
from functools import partial
from selectors import EVENT_READ
from signal import SIGTERM
from socket import socket
from time import monotonic
from types import FrameType
from typing import Any

from gunicorn.http.message import Request
from gunicorn.workers import gthread
from gunicorn.workers.gthread import TConn, ThreadWorker

from stockroom.core.hot_reads.at_once import AT_ONCE, Answers, AtOnce, MustAsk
from stockroom.serving import exchange
from stockroom.serving.farewells import Farewells
from stockroom.serving.priority import stand_back_for
from stockroom.serving.reading_ahead import parser_of
from stockroom.serving.sending import SEND_SECONDS, Reply, not_taken, send_rest

HEAD_SECONDS = 10.0
"""How long a client may take from its connection, or first byte, to the end of the head."""
BODY_SECONDS = 30.0
"""How long a thread may take for the body of a request."""
RELIEF_SECONDS = 120.0
"""How long a worker that is exchanged serves on at most, until the new ones are ready."""
LINGER_SECONDS = 12.0
"""How long it keeps connections open after that: longer than most clients pause."""
STOP_SECONDS = 2.0
"""How long a worker keeps them open that stops for another reason; as gunicorn has it."""
LOOK_UP_SECONDS = 0.05
"""How long the loop may be at its connections alone."""
SWITCH_SECONDS = 0.001
"""How long the loop may keep the interpreter to itself while a thread wants it."""

_SENT: Future[bool] = Future()
_SENT.set_result(True)
_LAST: Future[bool] = Future()
_LAST.set_result(False)


class PatientWorker(ThreadWorker):
    """Overrides where gunicorn hands a connection to the threads, and where a worker stops."""

    _relieved_by: float | None = None
    """When a worker that is exchanged stops at the latest, by the monotonic clock."""
    _looks_up_at = 0.0
    """When it next looks at more than its connections, by the monotonic clock."""
    _at_once: AtOnce | None = None
    """Of the application, if it can answer without a thread."""
    _farewells: Farewells

    def load_wsgi(self) -> None:
        """Import the application; where others serve meanwhile, the processors are theirs first."""
        if exchange.is_for(self.age):
            stand_back_for(super().load_wsgi, meanwhile=self.notify)
        else:
            super().load_wsgi()

    def run(self) -> None:
        self._farewells = Farewells(self.poller, self._close)
        self._at_once = getattr(self.wsgi, "extensions", {}).get(AT_ONCE)
        with self._at_once.attached(self) if self._at_once else nullcontext():
            # The loop can answer without a pause, and a thread takes turns with it at each wait.
            sys.setswitchinterval(SWITCH_SECONDS)
            exchange.tell_ready(self.age)
            super().run()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; but who is exchanged serves on for now, unless there will be no exchange."""
        if exchange.concerns(self.age):
            is_told_again = self._relieved_by is not None
            self._relieved_by = self._relieved_by or monotonic() + RELIEF_SECONDS
            # From the thirtieth second on gunicorn tells it each second.
            if not (exchange.is_stopping() or (is_told_again and exchange.is_off())):
                return
        self._linger(STOP_SECONDS)
        super().handle_exit(sig, frame)

    def notify(self) -> None:
        """What the loop calls with each turn, of which it may make thousands a second."""
        if (now := monotonic()) < self._looks_up_at:
            return
        self._looks_up_at = now + LOOK_UP_SECONDS
        super().notify()
        if self._at_once:
            self._at_once.look_after(is_stopping=not self.alive)
        if self.alive and self._is_relieved():
            self._linger(LINGER_SECONDS)
            super().handle_exit(SIGTERM, None)

    def wait_for_and_dispatch_events(self, timeout: float | None) -> None:
        if self._at_once and self._at_once.is_waiting():
            timeout = LOOK_UP_SECONDS
        super().wait_for_and_dispatch_events(timeout)
        if self._at_once:
            self._at_once.end_turn()

    def _is_relieved(self) -> bool:
        by = self._relieved_by
        return by is not None and (exchange.is_done() or monotonic() > by)

    def _linger(self, seconds: float) -> None:
        """Once the worker stops, kept connections are closed after so long."""
        gthread.STOP_KEEPALIVE_LINGER = seconds  # type: ignore[attr-defined]  # as gunicorn 27 has it
        self._cap_keepalive(monotonic() + seconds)  # type: ignore[attr-defined]

    def accept(self, listener: socket) -> None:
        """Take one who waits, and more where a turn of the loop takes long: many are watched."""
        for _ in range(1 + self.nr_conns // 16):
            before = self.nr_conns
            super().accept(listener)
            if self.nr_conns == before or self.nr_conns >= self.worker_connections:
                return

    def enqueue_req(self, conn: TConn) -> None:
        """Answer a connection, or give it a thread, or wait until it has asked for something."""
        if not self._has_asked(conn):
            self._await_more(conn)
        elif reply := self._reply_at_once(conn):
            self._answer(conn, reply, self.wsgi)
        else:
            super().enqueue_req(conn)

    def in_thread(self, work: Callable[[], Any], then: Callable[[Future[Any]], None]) -> None:
        done = self.tpool.submit(work)
        done.add_done_callback(lambda done: self.method_queue.defer(then, done))

    def on_pending_socket_readable(self, conn: TConn, client: socket) -> None:
        if self._has_asked(conn):
            self.poller.unregister(client)
            self.pending_conns.remove(conn)
            self.enqueue_req(conn)

    def handle(self, conn: TConn) -> Any:
        parser_of(conn).reader.deadline = monotonic() + BODY_SECONDS
        return super().handle(conn)

    def handle_request(self, req: Request, conn: TConn) -> bool:
        # With it ``sendall`` gives up in time, also where a client takes a byte now and then.
        conn.sock.settimeout(SEND_SECONDS)
        try:
            return bool(super().handle_request(req, conn))
        except TimeoutError:
            self.log.debug("Ignored a client that does not take its answer.")
            return False

    def finish_request(self, conn: TConn, done: "Future[Any]") -> None:
        """Keep a connection, or begin to close it; gunicorn would wait for the client here."""
        if done.exception() or done.result():
            super().finish_request(conn, done)
        else:
            self._farewells.begin(conn)

    def murder_pending(self) -> None:
        super().murder_pending()
        self._farewells.end_overdue()

    def _close(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()

    def _has_asked(self, conn: TConn) -> bool:
        conn.init()
        if conn.sock.gettimeout() != 0:
            conn.sock.setblocking(False)
        return parser_of(conn).has_asked()

    def _await_more(self, conn: TConn) -> None:
        # gunicorn closes what is pending when its time is up.
        conn.timeout = monotonic() + HEAD_SECONDS
        self.pending_conns.append(conn)
        on_more = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, EVENT_READ, on_more)

    def _reply_at_once(self, conn: TConn) -> Reply | None:
        """Of a request whose answer most likely needs no thread."""
        if self._at_once is None or not self._keeps_connections():
            return None
        request = parser_of(conn).look_ahead()
        if request is None:
            return None
        if not self._at_once.knows(request.path or "", request.query or ""):
            return None
        try:
            return Reply(request, conn)
        except Exception:  # noqa: BLE001 - a thread finds it as well, and tells of it
            return None

    def _keeps_connections(self) -> bool:
        """Whether answers may say so: those of the loop do, where the client does not mind."""
        return self.alive and len(self.keepalived_conns) < self.max_keepalived

    def _answer(self, conn: TConn, reply: Reply, application: Answers | None) -> None:
        """Send the application's answer, now or later; where it has none, a thread looks for it."""
        try:
            can_say_so = self._keeps_connections()
            answer = reply.answered(application) if application and can_say_so else None
        except MustAsk as must:
            must.pending.then(partial(self._answer, conn, reply))
            return
        except Exception:  # noqa: BLE001 - WouldWait, or what a thread finds as well, and tells of
            answer = None
        if answer is None:
            super().enqueue_req(conn)
            return
        # It is answered: what comes next is another one.
        next(parser_of(conn))
        self._send(conn, answer, is_last=reply.is_last)

    def _send(self, conn: TConn, answer: bytes, *, is_last: bool) -> None:
        rest = not_taken(conn, answer)
        if rest or (parser_of(conn).reader.buf.getvalue() and not is_last):
            # The thread is not needed for requests that came together, but bounds their recursion.
            send = partial(send_rest, conn, rest, is_last=is_last)
            self.in_thread(send, partial(self.finish_request, conn))
        else:
            self.finish_request(conn, _LAST if is_last else _SENT)
