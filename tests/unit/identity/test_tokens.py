"""Our own tokens: one purpose, one key, one algorithm, an end."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from readingroom.clock import FakeClock
from readingroom.errors import TokenExpired, Unauthenticated
from readingroom.identity import TokenSigner

SECRET = "0123456789abcdef" * 3
HOUR = timedelta(hours=1)
PURPOSES = ["access", "refresh", "ticket", "zip", "service"]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def signer(clock: FakeClock) -> TokenSigner:
    return TokenSigner(SECRET, "issuer", "audience", clock)


def claims(clock: FakeClock, **more: object) -> dict[str, object]:
    now = int(clock.now().timestamp())
    frame = {"iss": "issuer", "aud": "audience", "iat": now, "exp": now + 60, "purpose": "access", "sid": "s"}
    return {**frame, **more}


@pytest.mark.parametrize("purpose", PURPOSES)
def test_what_was_signed_is_read(signer: TokenSigner, purpose: str) -> None:
    assert signer.read(purpose, signer.sign(purpose, {"case": 42}, HOUR))["case"] == 42


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("other", PURPOSES)
def test_a_token_for_one_purpose_is_no_good_for_another(signer: TokenSigner, purpose: str, other: str) -> None:
    if purpose != other:
        with pytest.raises(Unauthenticated):
            signer.read(other, signer.sign(purpose, {}, HOUR))


@pytest.mark.parametrize("purpose", PURPOSES[1:])
def test_the_site_secret_itself_signs_nothing_but_access_tokens(clock: FakeClock, purpose: str) -> None:
    signer = TokenSigner(SECRET, "issuer", "audience", clock)
    for audience in ("audience", f"audience/{purpose}"):
        forged = jwt.encode(claims(clock, purpose=purpose, aud=audience), SECRET, algorithm="HS256")
        with pytest.raises(Unauthenticated):
            signer.read(purpose, forged)


def test_claims_cannot_change_the_frame(signer: TokenSigner) -> None:
    token = signer.sign("ticket", {"purpose": "access", "aud": "audience", "exp": 9999999999, "iss": "me"}, HOUR)
    read = signer.read("ticket", token)
    assert (read["purpose"], read["iss"], read["aud"]) == ("ticket", "issuer", "audience/ticket")
    assert read["exp"] < 9999999999


def test_an_expired_token_says_so(signer: TokenSigner, clock: FakeClock) -> None:
    token = signer.sign("access", {}, HOUR)
    clock.advance(HOUR - timedelta(seconds=1))
    assert signer.read("access", token)
    clock.advance(timedelta(seconds=1))
    with pytest.raises(TokenExpired):
        signer.read("access", token)


def test_an_expired_token_of_a_stranger_is_not_called_expired(signer: TokenSigner, clock: FakeClock) -> None:
    token = TokenSigner("x" * 40, "issuer", "audience", clock).sign("access", {}, -HOUR)
    with pytest.raises(Unauthenticated) as raised:
        signer.read("access", token)
    assert raised.type is Unauthenticated


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "another"}, {"aud": "another"}, {"aud": ["another"]}, {"exp": None}, {"iat": None}, {"purpose": None},
        {"exp": "tomorrow"}, {"exp": True}, {"nbf": 9999999999}, {"iat": 9999999999}, {"nbf": "x"},
    ],
    ids=str,
)  # fmt: skip
def test_a_claim_that_does_not_fit_is_refused(signer: TokenSigner, clock: FakeClock, wrong: dict[str, object]) -> None:
    made = {k: v for k, v in claims(clock, **wrong).items() if v is not None}
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()  # noqa: E731
    head = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(made)}"
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(head.encode(), SECRET.encode())
    with pytest.raises(Unauthenticated):
        signer.read("access", f"{head}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_is_refused(signer: TokenSigner, clock: FakeClock, algorithm: str) -> None:
    with pytest.raises(Unauthenticated):
        signer.read("access", jwt.encode(claims(clock), SECRET * 2, algorithm=algorithm))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE"])
def test_no_algorithm_is_refused(signer: TokenSigner, clock: FakeClock, algorithm: str) -> None:
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()  # noqa: E731
    for signature in ("", "AAAA"):
        with pytest.raises(Unauthenticated):
            signer.read("access", f"{part({'alg': algorithm})}.{part(claims(clock))}.{signature}")


@pytest.mark.parametrize("junk", ["", ".", "..", "a.b.c", "é.é.é", "x" * 10_000, "e30.e30.", "\x00"])
def test_junk_is_refused(signer: TokenSigner, junk: str) -> None:
    with pytest.raises(Unauthenticated):
        signer.read("access", junk)


def test_an_access_token_is_readable_with_the_site_secret(signer: TokenSigner) -> None:
    token = signer.sign("access", {"sub": "alice"}, timedelta(days=36500))
    read = jwt.decode(
        token, SECRET, algorithms=["HS256"], audience="audience", issuer="issuer", options={"verify_iat": False}
    )
    assert read["sub"] == "alice"
    assert datetime.fromtimestamp(read["iat"], UTC) == datetime(2026, 1, 1, tzinfo=UTC)
