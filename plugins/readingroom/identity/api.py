"""Routes of signing in and out, of who I am, and of what a refused request is told."""

from __future__ import annotations

from flask import Response, request
from pydantic import Field

from readingroom.errors import Forbidden, NotFound, Unauthenticated
from readingroom.identity.authenticate import Authenticator
from readingroom.identity.dicomweb_cookie import READING, DicomwebCookies
from readingroom.identity.model import CAPABILITIES, PUBLIC, SIGNED_IN
from readingroom.identity.sessions import Sessions, Tokens
from readingroom.identity.sign_in import SignIn
from readingroom.routing import Answer, Area, Body, caller, identity, json_answer, over_tls

COOKIE = "readingroom_refresh"
COOKIE_PATH = "/api/token/"

OWN_PAGE = ("X-Requested-With", "readingroom")
"""A header that no foreign page can send without our leave (CORS preflight): the cookie counts only beside
it."""


class SignInBody(Body):
    """Name and password."""

    username: str = Field(max_length=1000)
    password: str = Field(max_length=1000)


class RefreshBody(Body):
    """A refresh token; left out by browsers, which send theirs as a cookie."""

    refresh: str | None = Field(None, max_length=8192)


class TokensAnswer(Answer):
    """`refresh` is left out when it went into the cookie, or stays the same."""

    access: str
    refresh: str | None = None


class DicomwebAnswer(Answer):
    """For how many seconds the cookie is good, and whether it opens the list of studies (`pacs.read`)."""

    expires_in: int
    study_list: bool


class MeAnswer(Answer):
    """Who is asking."""

    user: str
    kind: str
    roles: list[str]
    capabilities: list[str]
    clinic: str | None


def routes(
    sign_in: SignIn, sessions: Sessions, authenticator: Authenticator, dicomweb_cookies: DicomwebCookies
) -> Area:  # fmt: skip
    """The area `identity`."""
    area = Area("identity", "Sign-in")

    @area.post("/api/token/", capability=PUBLIC, body=SignInBody, answer=TokensAnswer, errors=(401, 429))
    def token(body: SignInBody) -> Response:
        """Show name and password, get an access token and a refresh token.

        With `X-Requested-With: readingroom` the refresh token goes into an HttpOnly cookie instead of the
        answer.
        """
        who = sign_in.check(body.username, body.password, "form", caller())
        return _answer(sessions.open(who, _from_own_page(), caller()), in_cookie=_from_own_page())

    @area.post("/api/token/refresh/", capability=PUBLIC, body=RefreshBody, answer=TokensAnswer, errors=(401,))
    def refresh(body: RefreshBody) -> Response:
        """Get a fresh access token for a refresh token, from the body or from the cookie."""
        if body.refresh is not None:
            return _answer(sessions.renew(body.refresh, False, caller()), in_cookie=False)
        return _answer(sessions.renew(_from_cookie(), True, caller()), in_cookie=True)

    @area.post("/api/token/dicomweb/", capability=PUBLIC, answer=DicomwebAnswer, errors=(401, 403))
    def dicomweb() -> Response:
        """Get a cookie that is good for reading DICOMweb and for nothing else, from the cookie of the page's session.

        OHIF's page asks for it, and asks again before it ends. It ends with the session.
        """
        session = sessions.in_browser(_from_cookie())
        may = session.who.identity().capabilities
        if not may & READING:
            raise Forbidden("You are signed in, and images are not open to you.")
        response = Response(mimetype="application/json")
        good_for = dicomweb_cookies.give(response, session, secure=over_tls(caller()))
        told = DicomwebAnswer(expires_in=int(good_for.total_seconds()), study_list="pacs.read" in may)
        response.set_data(told.model_dump_json(by_alias=True))
        return response

    @area.post("/api/token/sign-out/", capability=PUBLIC, body=RefreshBody, status=204)
    def sign_out(body: RefreshBody) -> Response:
        """End the session of the refresh token (body or cookie) or of the access token that comes along."""
        cookie = request.cookies.get(COOKIE) if _from_own_page() else None
        for shown in (body.refresh, cookie):
            found = sessions.session_of(shown) if shown else None
            if found is not None:
                sessions.close(*found, caller())
        by_access = authenticator.session_of(request.headers.get("Authorization"))
        if by_access is not None and identity().kind == "user":
            sessions.close(by_access, identity(), caller())
        response = Response(status=204)
        response.delete_cookie(COOKIE, path=COOKIE_PATH, secure=over_tls(caller()), httponly=True, samesite="Strict")
        dicomweb_cookies.take(response, secure=over_tls(caller()))
        return response

    @area.get("/api/me", capability=SIGNED_IN, answer=MeAnswer)
    def me() -> MeAnswer:
        """Who I am and what I may do."""
        who = identity()
        return MeAnswer(
            user=who.user,
            kind=who.kind,
            roles=list(who.roles),
            capabilities=sorted(who.capabilities),
            clinic=who.clinic,
        )

    @area.get("/api/me/may/<capability>", capability=SIGNED_IN, status=204, errors=(403, 404))
    def may(capability: str) -> Response:
        """Whether I may do something, before a large body is sent for it: 204, or 403. The gateway asks this."""
        if capability not in CAPABILITIES:
            raise NotFound("There is no such capability.")
        if not identity().can(capability):
            raise Forbidden("You are signed in, and this needs a capability that you do not have.")
        return Response(status=204)

    @area.get("/api/refusal", capability=PUBLIC, errors=(401, 403))
    def refusal() -> Response:
        """What the gateway answers in place of Orthanc's bare 403: 401 to nobody, 403 to somebody."""
        # OHIF's cookie opens nothing here: it says which of the two words to use.
        if {identity().kind, dicomweb_cookies.identity(request.cookies).kind} != {"anonymous"}:
            raise Forbidden("You are signed in, and this needs a capability that you do not have.")
        raise Unauthenticated("Sign in first.")  # the door adds WWW-Authenticate

    return area


def _answer(tokens: Tokens, *, in_cookie: bool) -> Response:
    shown = None if in_cookie else tokens.refresh
    response = json_answer(TokensAnswer(access=tokens.access, refresh=shown))
    if shown is None:
        response = Response(
            TokensAnswer(access=tokens.access).model_dump_json(exclude_none=True), mimetype="application/json"
        )
    if in_cookie and tokens.refresh is not None:
        response.set_cookie(
            COOKIE, tokens.refresh, expires=tokens.refresh_ends, path=COOKIE_PATH,
            secure=over_tls(caller()), httponly=True, samesite="Strict",
        )  # fmt: skip
    return response


def _from_own_page() -> bool:
    name, value = OWN_PAGE
    return request.headers.get(name, "") == value


def _from_cookie() -> str:
    if not _from_own_page():
        raise Unauthenticated(f"The cookie counts only with the header {OWN_PAGE[0]}: {OWN_PAGE[1]}.")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Unauthenticated("The cookie counts only on our own pages.")
    token = request.cookies.get(COOKIE)
    if not token:
        raise Unauthenticated("Sign in first.")
    return token
