"""What a site says of its Firebird database: where it is, and which column is which DICOM attribute."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from readingroom.errors import BadRequest

KEYWORDS = frozenset(
    {
        "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "PatientName", "PatientID", "PatientBirthDate",
        "PatientSex", "StudyDate", "StudyTime", "StudyID", "StudyDescription", "SeriesDescription", "SeriesNumber",
        "InstanceNumber", "Modality", "BodyPartExamined", "AccessionNumber", "InstitutionName",
        "ReferringPhysicianName", "Manufacturer", "InsurancePlanIdentification", "OtherPatientIDs",
    }
)  # fmt: skip
"""What a column may be mapped to, beside `path`."""

PATH = "path"

_NAME = re.compile(r'[A-Za-z][A-Za-z0-9_$]{0,62}|"[^"\x00]{1,63}"')
"""Of a table or a column: plain, or quoted (SQL dialect 3)."""


def _a_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("not the name of a table or a column")
    return text


Name = Annotated[str, AfterValidator(_a_name)]


class Mapping(BaseModel):
    """The key `firebird` of a source; either `table`, or a `query` of one's own where a join is needed."""

    model_config = ConfigDict(extra="forbid")

    database: str = Field(min_length=1)
    """As the server calls it: a path on the server, or an alias."""
    host: str = "127.0.0.1"
    port: int = Field(3050, ge=1, le=65535)
    username: str = "SYSDBA"
    password: str = Field("", repr=False)
    role: str = ""
    charset: str = Field("UTF8", pattern=r"^[A-Z0-9_]+$")
    """Of the connection. Columns of character set NONE hold bytes of some Windows code page: name that one, WIN1252."""
    table: Name | None = None
    query: str = ""
    """One SELECT, whose columns are named by `columns`."""
    columns: dict[str, Name]
    """Column by DICOM keyword; `path` is the picture's file, below the source or with `path_prefix` before it."""
    path_prefix: str = ""
    r"""What stands before the path below the source: `D:\archive\` or `\\nas\images\`."""
    defaults: dict[str, str] = {}
    """Values of attributes that no column has: {"Modality": "XC"}."""

    @model_validator(mode="after")
    def _whole(self) -> Mapping:
        strange = (self.columns.keys() - KEYWORDS - {PATH}) | (self.defaults.keys() - KEYWORDS)
        if strange:
            raise ValueError(f"columns and defaults: no such DICOM keyword as {', '.join(sorted(strange))}")
        if PATH not in self.columns:
            raise ValueError("columns must say which one holds the path")
        if bool(self.table) == bool(self.query):
            raise ValueError("either table or query is needed")
        if self.query and (";" in self.query or not re.match(r"\s*(select|with)\b", self.query, re.IGNORECASE)):
            raise ValueError("query must be one SELECT")
        return self

    @property
    def statement(self) -> str:
        """What is asked of the database: the mapped columns, in the order of `columns`."""
        listed = ", ".join(self.columns.values())
        source = f"({self.query})" if self.query else str(self.table)
        return f"SELECT {listed} FROM {source}"  # noqa: S608  # names are checked, the query is the site's own


def mapping_of(values: dict[str, Any], source: str = "") -> Mapping:
    """The mapping of a configured source; raises BadRequest naming each key that does not fit."""
    try:
        return Mapping.model_validate(values)
    except ValidationError as error:
        said = "; ".join(
            f"{'.'.join(('firebird', *map(str, each['loc'])))}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors(include_input=False)
        )
        raise BadRequest(f"{source or 'The configuration'}: {said}") from None
