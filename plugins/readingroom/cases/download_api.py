"""Routes of the downloads: check, one case, several cases, tickets."""

from __future__ import annotations

from flask import Response, request
from pydantic import Field

from readingroom.audit import Trail
from readingroom.audit.events import TicketIssued
from readingroom.cases import finding
from readingroom.cases.downloads import Plans, Wish, wish_for
from readingroom.cases.finding import sees_all
from readingroom.cases.tickets import Tickets
from readingroom.clock import iso
from readingroom.db import Database
from readingroom.downloads import Sender
from readingroom.errors import BadRequest, Forbidden, Unauthenticated
from readingroom.identity import PUBLIC
from readingroom.routing import Answer, Area, Body, Query, caller, identity

READ = "cases.read"
MB = 1_000_000
"""The documents' megabyte, as browsers count."""


class CaseQuery(Query):
    """Which case."""

    case_id: str


class DownloadQuery(Query):
    """Which case, or the ticket that says so."""

    case_id: str = ""
    ticket: str = ""


class TicketQuery(Query):
    """The ticket of a batch."""

    ticket: str


class CaseIds(Body):
    """Which cases."""

    case_ids: list[str] = Field(description="1 to 50; repeated ones count once")


class CheckAnswer(Answer):
    """What of a case can be downloaded."""

    exists: bool
    file_count: int
    # One name of the documents that no rule of ours would make.
    total_size_mb: int = Field(alias="totalSizeMB", description="1 MB = 1,000,000 bytes; at least 1")


class TicketAnswer(Answer):
    """A link that a browser can follow by itself."""

    url: str
    file_name: str
    size_bytes: int
    expires_at: str


def routes(database: Database, plans: Plans, sender: Sender, tickets: Tickets, trail: Trail) -> Area:
    """The area of downloads."""
    area = Area("downloads", "Downloads")

    @area.get("/api/bestof/dicoms/check", capability=READ, query=CaseQuery, answer=CheckAnswer, errors=(404,))
    def check(query: CaseQuery) -> CheckAnswer:
        """Whether a case has DICOM files, how many, and how large they are together."""
        there = finding.get(database, identity(), query.case_id).available
        megabytes = max(1, round(there.size / MB)) if there.files else 0
        return CheckAnswer(exists=there.files > 0, file_count=there.files, totalSizeMB=megabytes)

    @area.get("/api/bestof/dicoms/download", capability=PUBLIC, query=DownloadQuery, errors=(401, 403, 404, 416, 429))
    def download(query: DownloadQuery) -> Response:
        """One case as a zip, by `caseId` (needs `cases.read`) or by `ticket` (needs nothing else)."""
        if query.ticket:
            return _follow(query.ticket, batch=False)
        if not query.case_id:
            raise BadRequest("Name a caseId, or show a ticket.")
        return _send(_wish([query.case_id], batch=False))

    @area.post("/api/bestof/dicoms/download-batch", capability=READ, body=CaseIds, errors=(404, 429))
    def download_batch(body: CaseIds) -> Response:
        """Up to 50 cases as one zip, a folder each."""
        return _send(_wish(body.case_ids, batch=True))

    @area.get("/api/bestof/dicoms/download-batch", capability=PUBLIC, query=TicketQuery, errors=(401, 404, 429))
    def download_batch_by_ticket(query: TicketQuery) -> Response:
        """The batch that a ticket was made for."""
        return _follow(query.ticket, batch=True)

    @area.post("/api/bestof/dicoms/tickets", capability=READ, body=CaseIds, answer=TicketAnswer, errors=(404,))
    def issue_ticket(body: CaseIds) -> TicketAnswer:
        """A link for one case or several that works without a header, for a few minutes."""
        plan = plans.fresh(_wish(body.case_ids, batch=len(set(body.case_ids)) > 1))
        token, end = tickets.ticket(plan, identity())
        single = plan.wish.case_ids[0] if not plan.wish.batch else ""
        issued = TicketIssued(entity_id=single, case_numbers=plan.case_numbers, bytes=plan.layout.length)
        trail.record(issued, caller())
        address = "download-batch" if plan.wish.batch else "download"
        return TicketAnswer(
            url=f"/api/bestof/dicoms/{address}?ticket={token}",
            file_name=plan.file_name,
            size_bytes=plan.layout.length,
            expires_at=iso(end),
        )

    def _wish(case_ids: list[str], *, batch: bool) -> Wish:
        if not identity().can(READ):
            if identity().kind == "anonymous":
                raise Unauthenticated("Sign in first.")
            raise Forbidden(f"This needs the capability {READ}.", detail={"capability": READ})
        return wish_for(case_ids, batch=batch, all_cases=sees_all(identity()))

    def _send(wish: Wish) -> Response:
        return sender.send(plans.fresh(wish), caller(), identity())

    def _follow(token: str, *, batch: bool) -> Response:
        grant = tickets.follow(token, batch=batch, resumes=request.headers.get("If-Range", ""))
        plans.still_allowed(grant.wish, grant.reader)
        # The version that the ticket promised, while it is remembered; else what the cases are now.
        plan = plans.same(grant.wish, grant.etag) or plans.fresh(grant.wish)
        return sender.send(plan, caller(), grant.reader)

    return area
