"""The file format of a profile: medical aids, hospital groups and hospitals, each with the spellings in use.

    {
      "timezone": "Africa/Johannesburg",
      "medicalAids": [{"name": "Bonitas", "spellings": ["Bonitas Medical Fund"], "short": ["BON"]}],
      "hospitalGroups": [
        {"name": "Netcare", "spellings": ["Netcare Hospitals"],
         "hospitals": [{"name": "Netcare Milpark Hospital", "spellings": ["Milpark"]}]}
      ]
    }

`spellings` are recognised wherever they stand in a field; `short` ones, which are words of other meanings too, only
where the field is about nothing else (see `recognising`). A site's own file has the same form: what it names adds
spellings to what is there, or is new. Case, accents and signs never matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.alias_generators import to_camel


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Spelt(_Part):
    """One name and how it is written."""

    name: str = Field(min_length=1, max_length=200)
    spellings: tuple[str, ...] = ()
    short: tuple[str, ...] = ()


class Group(Spelt):
    """A hospital group with its hospitals."""

    hospitals: tuple[Spelt, ...] = ()


class Names(_Part):
    """All names of a profile."""

    timezone: str = ""
    medical_aids: tuple[Spelt, ...] = ()
    hospital_groups: tuple[Group, ...] = ()

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            return value and ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"there is no time zone {value!r}") from None

    @property
    def groups(self) -> tuple[Group, ...]:
        """The hospital groups."""
        return self.hospital_groups

    def with_more(self, more: Names) -> Names:
        """These names and those; what has the same name becomes one."""
        groups = {each.name: each for each in self.hospital_groups}
        for each in more.hospital_groups:
            before = groups.get(each.name, Group(name=each.name))
            groups[each.name] = Group(
                name=each.name,
                spellings=before.spellings + each.spellings,
                short=before.short + each.short,
                hospitals=_joined(before.hospitals, each.hospitals),
            )
        return Names(
            timezone=more.timezone or self.timezone,
            medical_aids=_joined(self.medical_aids, more.medical_aids),
            hospital_groups=tuple(groups.values()),
        )


def read_names(text: str) -> Names:
    """The names that a profile's file holds; raises ValueError saying what does not fit."""
    try:
        return Names.model_validate_json(text)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors())
        raise ValueError(said) from None


def _joined(ours: Iterable[Spelt], theirs: Iterable[Spelt]) -> tuple[Spelt, ...]:
    found = {each.name: each for each in ours}
    for each in theirs:
        before = found.get(each.name, Spelt(name=each.name))
        found[each.name] = Spelt(
            name=each.name, spellings=before.spellings + each.spellings, short=before.short + each.short
        )
    return tuple(found.values())
