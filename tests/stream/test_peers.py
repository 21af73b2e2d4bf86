"""The socket of a follower, whose client takes what it is sent late or never."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from time import monotonic

import pytest

from stockroom.stream.peer import Peer

PATIENCE_SECONDS = 0.2


@pytest.fixture
def wires() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The server's end of a connection and the client's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def peer(wires: tuple[socket.socket, socket.socket]) -> Peer:
    return Peer(wires[0], PATIENCE_SECONDS)


@pytest.fixture
def client(wires: tuple[socket.socket, socket.socket]) -> socket.socket:
    return wires[1]


def fill(peer: Peer) -> bytes:
    """Send until nothing more is taken; returns what went out."""
    sent = b""
    with suppress(TimeoutError):
        while True:
            sent += b"." * peer.send(b"." * 1000)
    return sent


def drained(client: socket.socket) -> bytes:
    client.setblocking(False)
    taken = b""
    try:
        while more := client.recv(1 << 20):
            taken += more
    except BlockingIOError:
        pass
    return taken


def test_a_client_that_takes_nothing_is_waited_for_and_no_longer(peer: Peer) -> None:
    began = monotonic()
    fill(peer)
    assert PATIENCE_SECONDS <= monotonic() - began < 10 * PATIENCE_SECONDS


def test_what_the_client_has_no_room_for_is_not_sent_in_part(
    peer: Peer, client: socket.socket
) -> None:
    sent = fill(peer)
    assert drained(client) == sent


def test_a_frame_that_is_larger_than_all_room_is_given_up(peer: Peer) -> None:
    with pytest.raises(TimeoutError):
        peer.send(b"." * 100_000_000)


def test_after_a_part_of_a_frame_nothing_is_sent(peer: Peer, client: socket.socket) -> None:
    with pytest.raises(TimeoutError):
        peer.send(b"." * 100_000_000)
    peer.hurry()
    drained(client)
    peer.send(b"the last word")
    assert drained(client) == b""


def test_the_last_word_goes_where_there_is_room(peer: Peer, client: socket.socket) -> None:
    sent = fill(peer)
    peer.hurry()
    peer.send(b"the last word")
    assert drained(client) == sent + b"the last word"


def test_who_was_given_up_is_not_waited_for_again(peer: Peer) -> None:
    fill(peer)
    began = monotonic()
    with pytest.raises(TimeoutError):
        peer.send(b".")
    assert monotonic() - began < PATIENCE_SECONDS


def test_a_client_that_has_left_is_seen(peer: Peer, client: socket.socket) -> None:
    assert not peer.has_left()
    client.sendall(b"a word")
    assert not peer.has_left()
    assert peer.recv(100) == b"a word"
    client.close()
    assert peer.has_left()


def test_a_connection_that_is_cut_ends_for_both(peer: Peer, client: socket.socket) -> None:
    peer.cut()
    assert client.recv(100) == b""
    assert peer.has_left()
