"""Password hashes: Argon2id, few at a time, the same time for everybody."""

from __future__ import annotations

import threading
import time
from statistics import median

import argon2
import pytest
from readingroom.errors import BadRequest, TooManyRequests
from readingroom.identity.passwords import MAX_LENGTH, Passwords, check_new

PATIENCE = 60.0


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords()


def test_a_hash_fits_its_password_alone(passwords: Passwords) -> None:
    stored = passwords.hash("correct horse battery")
    assert stored.startswith("$argon2id$")
    assert passwords.fits(stored, "correct horse battery")
    assert not passwords.fits(stored, "correct horse batterY")
    assert not passwords.fits(stored, "")


def test_a_password_is_the_same_however_the_keyboard_writes_it(passwords: Passwords) -> None:
    assert passwords.fits(passwords.hash("caf\u00e9 du matin"), "cafe\u0301 du matin")


def test_nobody_has_no_password(passwords: Passwords) -> None:
    assert not passwords.fits(None, "correct horse battery")
    assert not passwords.fits("no hash at all", "correct horse battery")


def test_an_unknown_name_takes_as_long_as_a_wrong_password(passwords: Passwords) -> None:
    stored = passwords.hash("correct horse battery")

    def seconds(hash: str | None) -> float:
        began = time.process_time()  # of the processor's: what else the machine does is not in it
        passwords.fits(hash, "wrong horse battery")
        return time.process_time() - began

    pairs = [(seconds(stored), seconds(None)) for _ in range(5)]
    wrong, unknown = (median(times) for times in zip(*pairs, strict=True))
    assert 0.5 < unknown / wrong < 2


def test_a_hash_of_older_parameters_is_noticed(passwords: Passwords) -> None:
    older = argon2.PasswordHasher(time_cost=2, memory_cost=8192, parallelism=1).hash("correct horse battery")
    assert passwords.fits(older, "correct horse battery")
    assert passwords.is_dated(older)
    assert not passwords.is_dated(passwords.hash("correct horse battery"))


class Held:
    """A hasher that is at work until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def verify(self, _stored: str, _password: str) -> bool:
        assert self.go.wait(PATIENCE)
        return True


def test_a_flood_is_told_to_come_back_instead_of_taking_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("readingroom.identity.passwords.WAIT_SECONDS", PATIENCE)
    passwords, held = Passwords(at_once=1, waiting=2), Held()
    stored = passwords.hash("correct horse battery")
    monkeypatch.setattr(passwords, "_hasher", held)
    outcomes: list[str] = []

    def attempt() -> None:
        try:
            outcomes.append(str(passwords.fits(stored, "correct horse battery")))
        except TooManyRequests as error:
            outcomes.append(error.headers["Retry-After"])

    threads = [threading.Thread(target=attempt) for _ in range(12)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + PATIENCE
    while len(outcomes) < 9 and time.monotonic() < end:  # one is at work and two wait: the others are told at once
        time.sleep(0.01)
    assert outcomes == ["2"] * 9
    held.go.set()
    for thread in threads:
        thread.join()
    assert outcomes[9:] == ["True"] * 3
    assert passwords.fits(stored, "correct horse battery")  # all places were given back


@pytest.mark.parametrize(
    "weak",
    [
        "",
        "tiny!",
        "elevenchars",
        "aaaaaaaaaaaaaaaa",
        "ababababababab",
        "administrator",
        "with a\x00 nul inside",
        "x" * 300,
    ],
)
def test_a_weak_password_is_refused_without_being_repeated(weak: str) -> None:
    with pytest.raises(BadRequest) as raised:
        check_new(weak, "administrator")
    assert not weak or weak not in raised.value.message


@pytest.mark.parametrize(
    "good", ["reading-room-test", "correct horse battery staple", "ünïcödé ist auch gut", "x7" + "abcdefghij"]
)
def test_a_good_password_passes(good: str) -> None:
    check_new(good, "admin")


def test_an_endless_password_costs_no_more_than_another(passwords: Passwords) -> None:
    assert not passwords.fits(passwords.hash("correct horse battery"), "x" * (MAX_LENGTH + 1))
