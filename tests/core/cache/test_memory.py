"""What one process keeps is bounded, and renewed by one of many."""

import time

from stockroom.core.memory import Answer, Memory


def test_kept_answers_take_no_more_room_than_they_may() -> None:
    kept = Memory(most_bytes=100_000)
    for number in range(100):
        kept.keep(f"/things/{number}", Answer(b"x" * 5_000, "1"), time.time(), kept.generation)
        assert kept.bytes <= 100_000
    assert kept.get("/things/99")
    assert not kept.is_hot("/things/0")


def test_of_those_who_wait_for_nothing_one_has_an_answer_renewed() -> None:
    kept, old = Memory(), Answer(b"", "1")
    for name, age in (("/young", 0.0), ("/old", 0.7), ("/too old", 1.5)):
        kept.keep(name, old, time.time() - age, kept.generation)
    assert [kept.get(name) for name in ("/young", "/old", "/too old")] == [old, None, None]
    assert [kept.at_hand("/young") for _ in range(3)] == [old, old, old]
    assert [kept.at_hand("/old") for _ in range(3)] == [None, old, old]
    assert [kept.at_hand("/too old") for _ in range(3)] == [None, None, None]
    kept.move_on()
    assert kept.at_hand("/young") is None


def test_an_answer_is_hot_while_it_was_read_anew_not_long_ago() -> None:
    kept = Memory()
    for name, age in (("/now", 0.0), ("/lately", 1.5), ("/before", 2.5), ("/to come", -1.0)):
        kept.keep(name, Answer(b"", "1"), time.time() - age, kept.generation)
    hot = [
        name for name in ("/now", "/lately", "/before", "/to come", "/never") if kept.is_hot(name)
    ]
    assert hot == ["/now", "/lately"]


def test_what_is_asked_for_stays_when_room_is_made() -> None:
    kept = Memory(most_bytes=100_000)
    for number in range(100):
        kept.keep(f"/things/{number}", Answer(b"x" * 5_000, "1"), time.time(), kept.generation)
        assert kept.get("/things/0")


def test_what_is_too_old_to_be_given_to_anybody_takes_no_room() -> None:
    kept = Memory()
    for number in range(100):
        kept.keep(f"/old/{number}", Answer(b"x" * 5_000, "1"), time.time() - 3, kept.generation)
    kept.keep("/new", Answer(b"x" * 5_000, "1"), time.time(), kept.generation)
    assert kept.get("/new")
    assert kept.bytes < 10_000
