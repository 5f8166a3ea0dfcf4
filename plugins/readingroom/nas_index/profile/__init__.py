"""Regional profiles: what a header says in a country's own words, about who pays and where a study was made."""

from readingroom.nas_index.profile.choosing import NONE, Profile, choose

__all__ = ["NONE", "Profile", "choose"]
