"""Tokens of an outside issuer: pinned algorithm, keys that rotate, an issuer that hangs, claims in two places."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from readingroom.clock import FakeClock
from readingroom.errors import IssuerUnreachable, TokenExpired, Unauthenticated
from readingroom.identity import jwks
from readingroom.identity.jwks import Jwks
from readingroom.identity.outside import HASURA, Issuer, Secret, outsider

SECRET = "a secret that two programs share, long enough"
RSA = {kid: rsa.generate_private_key(public_exponent=65537, key_size=2048) for kid in ("one", "two", "three")}
CURVE = ec.generate_private_key(ec.SECP256R1())


PATIENCE = 60.0


class IssuerSite:
    """A real HTTP server that publishes keys."""

    def __init__(self) -> None:
        self.kids: list[str] = ["one"]
        self.body: Callable[[], bytes] = self.keys
        self.status = 200
        self.cut = False
        self.asked = 0
        self.hang = threading.Event()
        self.hang.set()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked += 1
                site.hang.wait(PATIENCE)
                body = site.body()
                self.send_response(site.status)
                self.send_header("Content-Length", str(len(body) + site.cut))
                if site.status == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks.json"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def keys(self) -> bytes:
        keys = []
        for kid in self.kids:
            public = CURVE.public_key() if kid == "curve" else RSA[kid].public_key()
            family = jwt.algorithms.ECAlgorithm if kid == "curve" else jwt.algorithms.RSAAlgorithm
            keys.append({**family.to_jwk(public, as_dict=True), "kid": kid, "use": "sig"})
        return json.dumps({"keys": keys}).encode()


@pytest.fixture
def site() -> Iterator[IssuerSite]:
    made = IssuerSite()
    yield made
    made.hang.set()
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def claims(clock: FakeClock, **more: Any) -> dict[str, Any]:
    now = int(clock.now().timestamp())
    return {"iss": "https://idp.test/", "aud": "imaging", "exp": now + 600, "x-hasura-user-id": "u-7", **more}


def rs256(clock: FakeClock, kid: str | None = "one", key: str = "one", **more: Any) -> str:
    return jwt.encode(claims(clock, **more), RSA[key], algorithm="RS256", headers={"kid": kid} if kid else None)


def issuer(site: IssuerSite, clock: FakeClock, algorithm: str = "RS256") -> Issuer:
    return Issuer("https://idp.test/", "imaging", algorithm, Jwks(site.url, algorithm, clock), clock)


def hs_issuer(clock: FakeClock) -> Issuer:
    return Issuer("https://idp.test/", "imaging", "HS256", Secret(SECRET), clock)


def test_a_shared_secret_is_accepted(clock: FakeClock) -> None:
    assert hs_issuer(clock).read(jwt.encode(claims(clock), SECRET)).user == "u-7"


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"iss": "https://evil.test/"}, Unauthenticated),
        ({"aud": "other"}, Unauthenticated),
        ({"exp": 1}, TokenExpired),
        ({"nbf": 9999999999}, Unauthenticated),
        ({"iat": 9999999999}, Unauthenticated),
        ({"exp": "soon"}, Unauthenticated),
        ({"x-hasura-user-id": None}, Unauthenticated),
        ({"x-hasura-user-id": "x" * 300}, Unauthenticated),
        ({"x-hasura-user-id": "a\x00b"}, Unauthenticated),
        ({"x-hasura-user-id": ["u-7"]}, Unauthenticated),
    ],
    ids=str,
)
def test_a_claim_that_does_not_fit_is_refused(
    clock: FakeClock, wrong: dict[str, Any], expected: type[Unauthenticated]
) -> None:
    with pytest.raises(Unauthenticated) as raised:
        hs_issuer(clock).read(jwt.encode(claims(clock, **wrong), SECRET))
    assert raised.type is expected


@pytest.mark.parametrize("missing", ["iss", "aud", "exp"])
def test_a_claim_that_is_missing_is_refused(clock: FakeClock, missing: str) -> None:
    made = {k: v for k, v in claims(clock).items() if k != missing}
    with pytest.raises(Unauthenticated):
        hs_issuer(clock).read(jwt.encode(made, SECRET))


def test_another_machines_clock_may_be_off_a_little(clock: FakeClock) -> None:
    now = int(clock.now().timestamp())
    assert hs_issuer(clock).read(jwt.encode(claims(clock, nbf=now + 20, iat=now + 20), SECRET))
    assert hs_issuer(clock).read(jwt.encode(claims(clock, exp=now - 20), SECRET))


@pytest.mark.parametrize(("algorithm", "kid", "key"), [("RS256", "one", RSA["one"]), ("ES256", "curve", CURVE)])
def test_published_keys_are_accepted(site: IssuerSite, clock: FakeClock, algorithm: str, kid: str, key: Any) -> None:
    site.kids = ["one", "curve"]
    token = jwt.encode(claims(clock), key, algorithm=algorithm, headers={"kid": kid})
    assert issuer(site, clock, algorithm).read(token).user == "u-7"


def test_the_public_key_is_no_shared_secret(site: IssuerSite, clock: FakeClock) -> None:
    """The classic swap: an HS256 token signed with the bytes of the RSA public key."""
    by = issuer(site, clock)
    assert by.read(rs256(clock))
    published = site.keys()
    import base64
    import hashlib
    import hmac

    part = lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=").decode()  # noqa: E731
    head = f"{part(json.dumps({'alg': 'HS256', 'kid': 'one'}).encode())}.{part(json.dumps(claims(clock)).encode())}"
    for key in (published, json.dumps(json.loads(published)["keys"][0]).encode()):
        with pytest.raises(Unauthenticated):
            by.read(f"{head}.{part(hmac.digest(key, head.encode(), hashlib.sha256))}")


@pytest.mark.parametrize("algorithm", ["RS384", "PS256", "RS512"])
def test_another_algorithm_of_the_same_key_is_refused(site: IssuerSite, clock: FakeClock, algorithm: str) -> None:
    token = jwt.encode(claims(clock), RSA["one"], algorithm=algorithm, headers={"kid": "one"})
    with pytest.raises(Unauthenticated):
        issuer(site, clock).read(token)
    assert site.asked == 0  # seen before any key was fetched


def test_keys_are_fetched_once_for_many_tokens(site: IssuerSite, clock: FakeClock) -> None:
    by = issuer(site, clock)
    for _ in range(50):
        by.read(rs256(clock))
    assert site.asked == 1


def test_a_rotated_key_is_found_and_a_withdrawn_one_ends(site: IssuerSite, clock: FakeClock) -> None:
    by = issuer(site, clock)
    by.read(rs256(clock))
    site.kids = ["two"]
    clock.advance(timedelta(seconds=20))
    assert by.read(rs256(clock, "two", "two")).user == "u-7"
    with pytest.raises(Unauthenticated):
        by.read(rs256(clock))


def test_a_key_withdrawn_without_a_successor_ends_within_the_hour(site: IssuerSite, clock: FakeClock) -> None:
    site.kids = ["one", "two"]
    by = issuer(site, clock)
    by.read(rs256(clock))
    site.kids = ["two"]
    clock.advance(timedelta(hours=1, seconds=1))
    with pytest.raises(Unauthenticated):
        by.read(rs256(clock))


def test_invented_key_ids_do_not_make_us_knock_at_the_issuers_door(site: IssuerSite, clock: FakeClock) -> None:
    by = issuer(site, clock)
    for n in range(100):
        with pytest.raises(Unauthenticated):
            by.read(rs256(clock, f"invented-{n}"))
    assert site.asked == 1


def test_a_key_of_another_signer_under_a_known_id_is_refused(site: IssuerSite, clock: FakeClock) -> None:
    with pytest.raises(Unauthenticated):
        issuer(site, clock).read(rs256(clock, "one", "three"))


def test_a_token_without_key_id_takes_the_only_key(site: IssuerSite, clock: FakeClock) -> None:
    by = issuer(site, clock)
    assert by.read(rs256(clock, None)).user == "u-7"
    site.kids = ["one", "two"]
    with pytest.raises(Unauthenticated):
        issuer(site, clock).read(rs256(clock, None))


def test_the_last_keys_stay_good_while_the_issuer_is_down(site: IssuerSite, clock: FakeClock) -> None:
    by = issuer(site, clock)
    by.read(rs256(clock))
    site.status = 500
    clock.advance(timedelta(hours=2))
    assert by.read(rs256(clock)).user == "u-7"
    clock.advance(timedelta(hours=23))
    with pytest.raises(Unauthenticated):
        by.read(rs256(clock))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"{}"),
        (302, b""),
        (204, b""),
        (200, b"no json"),
        (200, b"[]"),
        (200, b'{"keys": 3}'),
        (200, b"x" * 300_000),
    ],
)
def test_an_issuer_that_answers_nonsense_is_unreachable(
    site: IssuerSite, clock: FakeClock, status: int, body: bytes
) -> None:
    site.status, site.body = status, lambda: body
    with pytest.raises(IssuerUnreachable):
        issuer(site, clock).read(rs256(clock))


def test_an_issuer_that_breaks_off_in_mid_answer_is_unreachable_and_its_last_keys_stay_good(
    site: IssuerSite, clock: FakeClock
) -> None:
    site.cut = True
    by = issuer(site, clock)
    with pytest.raises(IssuerUnreachable):
        by.read(rs256(clock))
    site.cut = False
    clock.advance(timedelta(seconds=20))
    by.read(rs256(clock))
    site.cut = True
    clock.advance(timedelta(hours=2))
    assert by.read(rs256(clock)).user == "u-7"


@pytest.mark.parametrize(
    "junk", [None, 3, {}, {"kty": "RSA"}, {"kty": "RSA", "n": "!", "e": "!"}, {"kty": "oct", "k": "AAAA"}]
)
def test_one_odd_key_does_not_spoil_the_others(site: IssuerSite, clock: FakeClock, junk: Any) -> None:
    good = json.loads(site.keys())["keys"]
    site.body = lambda: json.dumps({"keys": [junk, {**good[0], "kid": []}, *good]}).encode()
    assert issuer(site, clock).read(rs256(clock)).user == "u-7"


def test_short_rsa_keys_are_no_keys(site: IssuerSite, clock: FakeClock) -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    entry = {**jwt.algorithms.RSAAlgorithm.to_jwk(short.public_key(), as_dict=True), "kid": "one"}
    site.body = lambda: json.dumps({"keys": [entry]}).encode()
    with pytest.raises(Unauthenticated):
        issuer(site, clock).read(rs256(clock))


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An issuer that hangs is waited for longer than the slowest machine takes for a test."""
    monkeypatch.setattr(jwks, "TIMEOUT", (PATIENCE, PATIENCE))


@pytest.mark.usefixtures("patient")
def test_a_hanging_issuer_holds_up_nobody_whose_key_is_known(site: IssuerSite, clock: FakeClock) -> None:
    by = issuer(site, clock)
    by.read(rs256(clock))
    clock.advance(timedelta(hours=2))
    site.hang.clear()
    with ThreadPoolExecutor(1) as stuck:
        waiting = stuck.submit(by.read, rs256(clock))
        while site.asked < 2:
            time.sleep(0.01)
        for _ in range(20):
            assert by.read(rs256(clock)).user == "u-7"
        assert not waiting.done()
        site.hang.set()
        assert waiting.result(PATIENCE).user == "u-7"


@pytest.mark.usefixtures("patient")
def test_only_a_few_wait_for_the_first_keys_of_a_hanging_issuer(site: IssuerSite, clock: FakeClock) -> None:
    by = issuer(site, clock)
    site.hang.clear()

    def attempt(_: int) -> str:
        try:
            return by.read(rs256(clock)).user
        except IssuerUnreachable as error:
            return error.headers["Retry-After"]

    with ThreadPoolExecutor(20) as crowd:
        answers = [crowd.submit(attempt, n) for n in range(20)]
        end = time.monotonic() + PATIENCE
        while sum(a.done() for a in answers) < 16 and time.monotonic() < end:
            time.sleep(0.01)
        assert sum(a.done() for a in answers) == 16
        site.hang.set()
        said = [a.result(PATIENCE) for a in answers]
    assert said.count("u-7") == 4
    assert site.asked == 1


@pytest.mark.parametrize(
    "made",
    [
        {"x-hasura-user-id": "u-7", "x-hasura-clinic-id": "12"},
        {HASURA: {"x-hasura-user-id": "u-7", "x-hasura-clinic-id": "12"}},
        {"x-hasura-user-id": "u-7", HASURA: {"x-hasura-clinic-id": 12}},
        {"sub": "someone", "x-hasura-user-id": "u-7", "x-hasura-clinic-id": 12, HASURA: {"x-hasura-user-id": "u-7"}},
        {"sub": "u-7", "x-hasura-clinic-id": "12", HASURA: "not a mapping"},
    ],
)
def test_user_and_clinic_stand_at_the_top_or_inside_hasuras_claim(made: dict[str, Any]) -> None:
    who = outsider(made)
    assert (who.user, who.clinic) == ("u-7", "12")


def test_two_places_that_disagree_are_refused() -> None:
    with pytest.raises(Unauthenticated):
        outsider({"x-hasura-user-id": "u-7", HASURA: {"x-hasura-user-id": "u-8"}})
    with pytest.raises(Unauthenticated):
        outsider({"sub": "u-7", "x-hasura-clinic-id": "1", HASURA: {"x-hasura-clinic-id": "2"}})


def test_roles_are_collected_from_wherever_issuers_put_them() -> None:
    made = {
        "sub": "u",
        "role": "a",
        "roles": ["b", 3],
        HASURA: {"x-hasura-default-role": "c", "x-hasura-allowed-roles": ["d"]},
    }
    assert outsider(made).roles == ("a", "b", "c", "d")
