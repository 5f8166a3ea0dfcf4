"""Builds the application: the one place that picks real parts and hands each area what it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from flask import Flask
from spectree import SpecTree

from readingroom import identity as identities
from readingroom import system_api
from readingroom.audit import Trail
from readingroom.audit import api as audit_api
from readingroom.audit.reading import Reading
from readingroom.cases import api as cases_api
from readingroom.cases import attach_api, download_parts, import_api, publishing
from readingroom.cases.attaching import Attaching
from readingroom.cases.import_schedule import Scheduler
from readingroom.cases.import_start import Imports
from readingroom.clock import Clock
from readingroom.db import Database, open_database
from readingroom.door import Door, as_ours, error_response
from readingroom.downloads import Keys, Outlet, Sender, StoredFiles
from readingroom.downloads import api as slices_api
from readingroom.frames.streams import Streams
from readingroom.headers.json_writer import JsonWriter
from readingroom.identity import Access, Authenticator, DicomwebCookies, ShareCookies, TokenSigner, users_api
from readingroom.identity import api as identity_api
from readingroom.identity.accounts import Accounts
from readingroom.identity.again import Again
from readingroom.identity.cross_site import Origins
from readingroom.identity.forwarded import Forwarded
from readingroom.imaging import building as imaging_parts
from readingroom.imaging.variants_kept import PictureMaker
from readingroom.manifests import Plans, SeriesPlan
from readingroom.manifests.plans import KeptPlans
from readingroom.metrics import Metrics
from readingroom.nas_index import index_api, nas_api, profile, search_api, series_api, study
from readingroom.nas_index.arrivals import Arrivals
from readingroom.nas_index.catalogue import Catalogue
from readingroom.nas_index.import_series import SeriesImports
from readingroom.nas_index.import_series import variables as nas_variables
from readingroom.nas_index.in_orthanc import InOrthanc
from readingroom.nas_index.origin import NasOrigin
from readingroom.nas_index.search import Search
from readingroom.nas_index.series_files import SeriesFiles
from readingroom.nas_index.start import Indexing
from readingroom.objects import ObjectStore
from readingroom.objects.choosing import from_settings
from readingroom.pacs import Pacs, get_json, segment
from readingroom.pacs_ranges import PacsRanges
from readingroom.pictures import Pictures
from readingroom.routing import Area, Declared, specification
from readingroom.series import Origins as SeriesOrigins
from readingroom.series.crcs import KeptCrcs
from readingroom.series.in_orthanc import OrthancOrigin
from readingroom.series.study_in_orthanc import OrthancStudies
from readingroom.settings import Settings
from readingroom.shares import parts as sharing
from readingroom.thumbnails import api as thumbnails_api
from readingroom.thumbnails.thumbnails import Thumbnails
from readingroom.viewer import parts as viewing

log = structlog.get_logger(__name__)

PREFIXES = ("/api/", "/share/", "/imaging/", "/health")
"""Where our routes live among Orthanc's; what lies below and is not routed is our own 404."""


@dataclass(frozen=True, slots=True)
class Room:
    """A built application and the parts that its host needs."""

    app: Flask
    database: Database
    authenticator: Authenticator
    share_cookies: ShareCookies
    dicomweb_cookies: DicomwebCookies
    signer: TokenSigner
    accounts: Accounts
    access: Access
    forwarded: Forwarded
    origins: Origins
    trail: Trail
    metrics: Metrics
    series: SeriesOrigins
    declared: tuple[Declared, ...]
    starts: list[Callable[[], None]] = field(default_factory=list)
    stops: list[Callable[[], None]] = field(default_factory=list)
    deletions: list[Callable[[str], None]] = field(default_factory=list)
    arrivals: list[Callable[[str], None]] = field(default_factory=list)
    settlings: list[Callable[[str], None]] = field(default_factory=list)

    def start(self) -> None:
        """Begin what runs beside requests; what cannot be begun, while the database is away say, keeps nothing else."""
        for each in self.starts:
            _on_its_own("start", each)

    def stop(self) -> None:
        """End what runs beside requests, last begun first, and give the database back."""
        for each in reversed(self.stops):
            _on_its_own("stop", each)
        self.database.close()

    def resource_deleted(self, resource: str) -> None:
        """Forget what is remembered of a resource that Orthanc no longer has."""
        for each in self.deletions:
            _on_its_own("deletions", each, resource)

    def series_arrived(self, series: str) -> None:
        """Tell of a series that Orthanc has got."""
        for each in self.arrivals:
            _on_its_own("arrivals", each, series)

    def series_settled(self, series: str) -> None:
        """Tell of a series that Orthanc has got no more instances of for a while."""
        for each in self.settlings:
            _on_its_own("settlings", each, series)


def _on_its_own(what: str, each: Callable[..., None], *said: str) -> None:
    """Call one of many: where it fails, the log is told and the next one is called all the same."""
    try:
        each(*said)
    except Exception:
        log.exception("room_part_failed", what=what, part=getattr(each, "__qualname__", repr(each)))


def build(
    settings: Settings, pacs: Pacs, clock: Clock, database: Database | None = None,
    objects: ObjectStore | None = None, pictures: PictureMaker | None = None,
) -> Room:  # fmt: skip
    """Put everything together on an open, migrated database. Raises SettingsError naming what does not fit.

    The store of assets and the maker of their pictures are those of the settings, unless they are given.
    """
    database = database or open_database(settings.database_url)
    metrics = Metrics()
    trail = Trail(database, clock)
    identity = identities.build(settings, database, trail, clock)
    forwarded = Forwarded(settings.gateway_secret.get_secret_value())
    origins = Origins(settings.cors_origins, settings.public_url)
    access = Access(lambda study_uid: publishing.is_published(database, study_uid), clock)

    ranges = PacsRanges(settings.orthanc_url, lambda: f"Bearer {identity.signer.service_token('downloads')}")
    stored = StoredFiles(pacs, settings.orthanc_storage, ranges, together=True)
    keys = Keys(identity.signer, timedelta(hours=settings.download_hours))
    sender = Sender(keys, clock)

    imports = Imports(settings, database, clock, trail)
    scheduler = Scheduler(imports, settings.cases_schedule, clock, deidentify=settings.import_deidentify)

    region = profile.choose(settings.nas_profile, settings.nas_profile_file)
    catalogue = Catalogue(database, clock, region.recognise)
    in_orthanc = InOrthanc(pacs, clock)
    arrivals = Arrivals(
        database, clock, catalogue, pacs,
        # By itself: what it looks at once does not push out what downloads and viewers come back to.
        OrthancOrigin(pacs, StoredFiles(pacs, settings.orthanc_storage, ranges), KeptCrcs(database, clock), clock),
    )  # fmt: skip
    finding = search_api.Finding(database, Search(database, clock), region, in_orthanc, trail)
    series_imports = SeriesImports(settings, database, clock, trail)
    indexing = Indexing(settings, database, clock, trail, catalogue)

    nas_files, crcs = SeriesFiles(settings, database), KeptCrcs(database, clock)
    nas = NasOrigin(database, nas_files, crcs)
    series = SeriesOrigins(OrthancOrigin(pacs, stored, crcs, clock), nas)

    thumbnails = Thumbnails(settings)
    plans, json_writer = KeptPlans(settings, series, clock), JsonWriter(settings)
    streams = Streams(settings, series, metrics)
    beforehand = streams.beforehand(lambda id_: _plan_of(pacs, series, plans, id_))
    shares = sharing.build(
        settings, database, clock, trail, metrics, identity.share_cookies, series, sender, thumbnails,
        lambda: _for_workers(settings),
    )  # fmt: skip

    viewer = viewing.build(
        clock, trail, access, pacs, series, plans, thumbnails,
        {"orthanc": OrthancStudies(pacs).of_study, "nas": lambda uid: study.of_study(database, uid)},
        streams, Again(identity.authenticator, identity.share_cookies), json_writer,
        shares.elsewhere.looked, shares.elsewhere.fetched,
    )  # fmt: skip

    imaging = imaging_parts.build(
        settings, database, clock, trail, metrics,
        objects or from_settings(settings), pictures or Pictures(settings), pacs,
    )  # fmt: skip

    app = Flask("readingroom", static_folder=None)
    app.url_map.strict_slashes = False  # Orthanc takes the last slash away before it asks us
    spec = specification()
    areas = [
        system_api.routes(database, imaging.backend, imaging.standing.wrong, lambda: document(app, spec)),
        identity_api.routes(identity.sign_in, identity.sessions, identity.authenticator, identity.dicomweb_cookies),
        users_api.routes(identity.accounts),
        audit_api.routes(Reading(database), trail),
        cases_api.routes(database, clock, trail),
        attach_api.routes(Attaching(database, pacs, stored, clock, trail)),
        download_parts.routes(settings, database, stored, sender, identity.signer, clock, trail),
        slices_api.routes(sender, keys),
        import_api.routes(imports),
        index_api.routes(indexing, catalogue),
        search_api.routes(finding),
        series_api.routes(series_imports),
        thumbnails_api.routes(thumbnails, series, trail),
        *viewer,
        *shares.areas,
        *imaging.areas,
        nas_api.routes(settings, database, clock, trail, indexing, catalogue),
    ]
    room = Room(
        app,
        database,
        identity.authenticator,
        identity.share_cookies,
        identity.dicomweb_cookies,
        identity.signer,
        identity.accounts,
        access,
        forwarded,
        origins,
        trail,
        metrics,
        series,
        _declared(areas),
    )
    room.starts.extend(
        (scheduler.start, indexing.go_on, series_imports.go_on, shares.copying.start, *imaging.starts, beforehand.start,
         arrivals.start)
    )  # fmt: skip
    # Run backwards: what makes frames beforehand ends before what it makes them by.
    room.stops.extend(
        (scheduler.stop, arrivals.stop, shares.copying.stop, shares.log.stop, *imaging.stops,
         nas_files.close, nas.close, thumbnails.close, plans.close, json_writer.close, streams.close, beforehand.stop)
    )  # fmt: skip
    room.arrivals.extend((in_orthanc.arrived, arrivals.arrived))
    room.deletions.extend((in_orthanc.deleted, arrivals.deleted))
    room.settlings.extend((beforehand.settled, arrivals.settled))
    if settings.zip_socket is not None:
        outlet = Outlet(
            settings.zip_socket, sender, keys, forwarded, lambda error, id_: error_response(as_ours(error), id_)
        )
        outlet.serve("/_frames/", streams.flow)
        outlet.serve("/_files/", shares.flow)
        room.starts.append(outlet.start)
        room.stops.append(outlet.stop)
    for area in areas:
        app.register_blueprint(area.blueprint(spec))
    spec.app = app
    Door(identity.authenticator, identity.share_cookies, forwarded, origins, clock, metrics).hang(app, room.declared)
    return room


def document(app: Flask, spec: SpecTree) -> dict[str, Any]:
    """The OpenAPI document of all routes."""
    with app.app_context():
        found: dict[str, Any] = spec.spec
        return found


def _plan_of(pacs: Pacs, series: SeriesOrigins, plans: Plans, orthanc_id: str) -> SeriesPlan | None:
    """How a series of Orthanc's is shown, by its id there; None where it is gone. Raises what `Plans.of` does."""
    tags = get_json(pacs, f"/series/{segment(orthanc_id)}")["MainDicomTags"]
    found = series.find_in("orthanc", str(tags.get("SeriesInstanceUID", "")))
    return None if found is None else plans.of(found)


def _for_workers(settings: Settings) -> dict[str, str]:
    """What a process that reads series from wherever they lie is told, where settings came not by the environment."""
    storage = settings.orthanc_storage
    return nas_variables(settings) | ({} if storage is None else {"READINGROOM_ORTHANC_STORAGE": str(storage)})


def _declared(areas: list[Area]) -> tuple[Declared, ...]:
    return tuple(route for area in areas for route in area.declared)
