"""The manifest as the OpenAPI document tells of it; what is sent is written by `manifests`, and a test compares."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from readingroom.routing import Answer

Vector = list[float]


class Strict(Answer):
    """Base: nothing is in a manifest that is not told of here."""

    model_config = ConfigDict(**Answer.model_config, extra="forbid")


class ManifestPatient(Strict):
    """As the files of the series name the patient."""

    name: str
    id: str
    birth_date: str
    sex: str


class ManifestStudy(Strict):
    """As the files of the series tell of their study."""

    date: str
    time: str
    description: str
    institution: str


class ManifestGroup(Strict):
    """Frames of one size and orientation, which follow each other."""

    name: str
    start: int = Field(alias="from", description="Place of its first frame in the display order, from 0")
    count: int


class ManifestInstances(Strict):
    """Columns, one entry for each file."""

    uid: list[str]
    handle: list[str] = Field(description="For /api/pacs/instances/{handle}/…")
    number: list[int | None]


class ManifestDefaults(Strict):
    """What most frames have; each may be a column of `frames` too, which then counts. Lengths in mm, times in ms."""

    rows: int | None = None
    columns: int | None = None
    samples_per_pixel: int | None = None
    photometric_interpretation: str | None = None
    planar_configuration: int | None = None
    bits_allocated: int | None = None
    bits_stored: int | None = None
    high_bit: int | None = None
    pixel_representation: int | None = None
    floating: bool | None = Field(None, alias="float", description="Raw values are floating-point numbers of 32 bits")
    pixel_spacing: Vector | None = Field(None, description="Between rows, between columns")
    spacing_is: Literal["patient", "detector"] | None = None
    pixel_aspect_ratio: Vector | None = None
    image_orientation_patient: Vector | None = None
    slice_thickness: float | None = None
    spacing_between_slices: float | None = None
    slope: float | None = None
    intercept: float | None = None
    rescale_type: str | None = None
    window_center: Vector | None = None
    window_width: Vector | None = None
    window_explanation: list[str] | None = None
    voi_lut_function: str | None = None
    frame_time: float | None = None
    transfer_syntax_uid: str | None = None
    encoding: str | None = Field(None, description="raw jpeg jpegll jpls jp2 htj2k rle")
    bytes: int | None = Field(None, description="Of a frame as it is sent")
    smallest: int | None = None
    largest: int | None = None
    lossy: bool | None = None
    burned_in: bool | None = None
    suv: float | None = Field(None, description="From rescaled values to standardised uptake values")
    modality_lut: int | None = Field(None, description="Index into luts: in place of slope and intercept")
    voi_luts: list[int] | None = Field(
        None, description="Indexes into luts: alternatives to the windows, the first first"
    )
    lut_left_out: str | None = Field(None, description="Why a table of the file is not here, for a person")


class ManifestFrames(Answer):
    """Columns in display order: any name of the defaults beside these."""

    model_config = ConfigDict(**Answer.model_config, extra="allow")

    instance: list[int]
    frame_number: list[int] | None = Field(None, description="From 1; left out where all are 1")
    position: list[Vector | None]


class ManifestLut(Strict):
    """A lookup table (PS3.3 C.11.1, C.11.2); values that lie before or behind it have its first or last entry."""

    kind: Literal["modality", "voi"]
    first: int = Field(description="The value that has the first entry")
    bits: int = Field(description="Entries go from 0 to 2 ** bits - 1")
    count: int = Field(description="Of its entries")
    data: str = Field(description="Base64 of the entries, each of 16 bits in little endian")
    explanation: str
    type: str = Field(description="Of what a modality's table gives: HU, OD, US …")


class ManifestUnshown(Strict):
    """A file that has nothing to show, and why, for a person."""

    instance: int
    reason: str


class ManifestAnswer(Strict):
    """Everything that a viewer must know of a series but its pixels."""

    version: str
    series_uid: str
    study_uid: str
    modality: str
    series_number: int | None
    series_description: str
    place: Literal["orthanc", "nas", "copy"]
    patient: ManifestPatient
    study: ManifestStudy
    frame_count: int
    groups: list[ManifestGroup]
    instances: ManifestInstances
    defaults: ManifestDefaults
    frames: ManifestFrames
    luts: list[ManifestLut] | None = Field(
        None, description="Each table of the series once; left out where it has none"
    )
    unshown: list[ManifestUnshown]
