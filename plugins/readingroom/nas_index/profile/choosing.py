"""Picks the profile that the site asked for, with the site's own names added to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from readingroom.errors import SettingsError
from readingroom.nas_index.header import Header
from readingroom.nas_index.profile.names import Names, read_names
from readingroom.nas_index.profile.recognising import Recogniser
from readingroom.nas_index.rows import NOWHERE, Region

PROFILES = {"south-africa": "south_africa.json"}


@dataclass(frozen=True, slots=True)
class Profile:
    """A region: its time zone, its names, and what it recognises in a header."""

    name: str
    timezone: str
    recognise: Callable[[Header], Region]
    medical_aids: tuple[str, ...] = ()
    hospital_groups: tuple[str, ...] = ()
    hospitals: tuple[str, ...] = ()


def _nothing(_header: Header) -> Region:
    return NOWHERE


NONE = Profile("none", "UTC", _nothing)
"""Of a site that wants no profile."""


def choose(name: str, own: Path | None = None) -> Profile:
    """The profile of that name ("none": no profile), with the names of the site's own file added.

    Raises SettingsError when there is no such profile, or when the file cannot be read or does not fit.
    """
    if name == "none":
        return NONE
    if name not in PROFILES:
        raise SettingsError(f"NAS_PROFILE: there is no profile {name!r}; there are none, {', '.join(PROFILES)}.")
    names = read_names((resources.files(__package__) / PROFILES[name]).read_text("utf-8"))
    if own is not None:
        names = names.with_more(_own(own))
    return Profile(
        name=name,
        timezone=names.timezone,
        recognise=Recogniser(names),
        medical_aids=tuple(sorted(each.name for each in names.medical_aids)),
        hospital_groups=tuple(sorted(each.name for each in names.groups)),
        hospitals=tuple(sorted(hospital.name for each in names.groups for hospital in each.hospitals)),
    )


def _own(file: Path) -> Names:
    try:
        return read_names(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"NAS_PROFILE_FILE {file} cannot be used: {error}") from None
