"""How an area declares its routes: one method, one path, one capability, typed in and out."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from flask import Blueprint, Response, g, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from spectree import Response as Documented
from spectree import SecurityScheme, SpecTree
from spectree.models import SecureType, SecuritySchemeData

from readingroom import __version__
from readingroom.errors import BadRequest
from readingroom.identity import PUBLIC, Caller, Identity

Handler = Callable[..., Any]
Declaring = Callable[[Handler], Handler]

MAX_PAGE = 500
"""The longest page of any list."""

MOST_ROWS = (1 << 31) - 1
"""No list of ours has more; SQLite takes no number beyond 64 bits."""


class Answer(BaseModel):
    """Base of what we answer: snake_case in Python, camelCase in JSON."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Body(BaseModel):
    """Base of what we take: camelCase in JSON; a field that we do not know is refused rather than ignored."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class Query(Body):
    """Base of query arguments."""


class Page(Query):
    """The two arguments that every list takes."""

    limit: int = Field(50, ge=1, le=MAX_PAGE)
    offset: int = Field(0, ge=0, le=MOST_ROWS)


class ErrorAnswer(BaseModel):
    """The one shape of every error."""

    error: str
    message: str
    detail: Any = None
    request_id: str


@dataclass(frozen=True, slots=True)
class Declared:
    """One route as its area declared it."""

    method: str
    path: str
    capability: str
    endpoint: str


class Models(TypedDict, total=False):
    """What goes in and out of a route."""

    query: type[BaseModel]
    body: type[BaseModel]
    answer: type[BaseModel]
    status: int  # of a good answer; 200 when it is not named
    errors: tuple[int, ...]  # statuses beyond 400, 401 and 403


def specification() -> SpecTree:
    """A fresh OpenAPI collector."""
    return SpecTree(
        "flask",
        path="openapi",  # SpecTree leaves out every route below this path; ours all stand below /api
        title="Reading Room",
        version=__version__,
        mode="strict",
        validation_error_status=400,
        naming_strategy=lambda model: model.__name__,
        security_schemes=[
            SecurityScheme(
                name="bearer",
                data=SecuritySchemeData(type=SecureType.HTTP, scheme="bearer", bearer_format="JWT"),
            ),
            SecurityScheme(name="basic", data=SecuritySchemeData(type=SecureType.HTTP, scheme="basic")),
        ],
    )


class Area:
    """The routes of one capability of the product; `app.build` collects them."""

    def __init__(self, name: str, title: str) -> None:
        self.name = name
        self.title = title
        self.declared: list[Declared] = []
        self._handlers: list[tuple[Declared, Handler, Models]] = []

    def get(self, path: str, *, capability: str, **models: Unpack[Models]) -> Declaring:
        """Declare a GET route; see `route`."""
        return self.route("GET", path, capability=capability, **models)

    def post(self, path: str, *, capability: str, **models: Unpack[Models]) -> Declaring:
        """Declare a POST route; see `route`."""
        return self.route("POST", path, capability=capability, **models)

    def put(self, path: str, *, capability: str, **models: Unpack[Models]) -> Declaring:
        """Declare a PUT route; see `route`."""
        return self.route("PUT", path, capability=capability, **models)

    def delete(self, path: str, *, capability: str, **models: Unpack[Models]) -> Declaring:
        """Declare a DELETE route; see `route`."""
        return self.route("DELETE", path, capability=capability, **models)

    def route(self, method: str, path: str, *, capability: str, **models: Unpack[Models]) -> Declaring:
        """Declare a route. The handler gets the path's parts, and `query=` and `body=` where models are named.

        It returns an instance of `answer` (sent as JSON with `status`), or a Response of its own. Its docstring is the
        route's text in the OpenAPI document.
        """

        def declare(handler: Handler) -> Handler:
            declared = Declared(method, path, capability, f"{self.name}.{handler.__name__}")
            self.declared.append(declared)
            self._handlers.append((declared, handler, models))
            return handler

        return declare

    def blueprint(self, spec: SpecTree) -> Blueprint:
        """The area as Flask knows it."""
        blueprint = Blueprint(self.name, __name__)
        for declared, handler, models in self._handlers:
            view = _view(handler, models)
            # Behind the view, not before it: SpecTree finds its words there, and its own wrapper, which would read
            # every answer whole, a zip of 16 GB too, is never called.
            words = _documented(spec, self.title, declared, handler, models)(_view(handler, models))
            view.__wrapped__ = words  # type: ignore[attr-defined]  # what functools.wraps would set
            blueprint.add_url_rule(
                declared.path,
                endpoint=handler.__name__,
                view_func=view,
                methods=[declared.method],
                provide_automatic_options=False,
            )
        return blueprint


def _view(handler: Handler, models: Models) -> Callable[..., Response]:
    query, body, status = models.get("query"), models.get("body"), models.get("status", 200)

    def view(**parts: Any) -> Response:
        if query is not None:
            parts["query"] = parse(query, request.args.to_dict())
        if body is not None:
            parts["body"] = parse_json(body, request.get_data())
        answer = handler(**parts)
        return answer if isinstance(answer, Response) else json_answer(answer, status)

    # Not functools.wraps: SpecTree would follow it and try to resolve the handler's own annotations.
    view.__name__, view.__doc__ = handler.__name__, handler.__doc__
    return view


def _documented(spec: SpecTree, title: str, declared: Declared, handler: Handler, models: Models) -> Any:
    answers: dict[str, Any] = {f"HTTP_{models.get('status', 200)}": models.get("answer")}
    for status in sorted({400, *models.get("errors", ()), *(() if declared.capability == PUBLIC else (401, 403))}):
        answers[f"HTTP_{status}"] = ErrorAnswer
    handler.__doc__ = f"{inspect.getdoc(handler) or declared.path}\n\nNeeds: `{declared.capability}`."
    return spec.validate(
        query=models.get("query"),
        json=models.get("body"),
        resp=Documented(**answers),
        tags=[title],
        security=[] if declared.capability == PUBLIC else [{"bearer": []}, {"basic": []}],
        skip_validation=True,
    )


def json_answer(answer: BaseModel | None, status: int = 200) -> Response:
    """A model as a JSON response; None is an empty one."""
    if answer is None:
        return Response(status=status)
    return Response(answer.model_dump_json(by_alias=True), status=status, mimetype="application/json")


def parse[M: BaseModel](model: type[M], values: dict[str, Any]) -> M:
    """Check values against a model; raises BadRequest with one entry per field that does not fit."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _bad(error) from None


def parse_json[M: BaseModel](model: type[M], body: bytes) -> M:
    """Check a JSON body against a model; raises BadRequest."""
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise _bad(error) from None


def _bad(error: ValidationError) -> BadRequest:
    # The value itself is left out: it may be a password or a patient's name.
    fields = [
        {"field": ".".join(str(p) for p in e["loc"]), "problem": e["msg"]} for e in error.errors(include_input=False)
    ]
    said = "; ".join(f"{f['field']}: {f['problem']}" if f["field"] else f["problem"] for f in fields)
    return BadRequest(f"The request does not fit: {said}", detail=fields)


def caller() -> Caller:
    """Who is asking, for an audit event."""
    found: Caller = g.caller
    return found


def identity() -> Identity:
    """The identity behind the request that is being answered."""
    return caller().identity


def over_tls(who: Caller) -> bool:
    """Whether the browser's side of the line is encrypted; the gateway's word counts, nobody else's."""
    if who.through_gateway:
        return request.headers.get("X-Forwarded-Proto", "") == "https"
    return request.is_secure
