"""Reads the multipart form of an upload as it comes: fields into memory, the file onto the disk, each within limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import RawIOBase
from pathlib import Path

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from readingroom.errors import BadRequest
from readingroom.imaging.file_names import name_in_header
from readingroom.objects.folder_errors import InOurWords

PIECE = 128 << 10
"""Bytes read at a time: the decoder copies each twice, in a quarter of the time while they stay in the cache."""

MAX_PARTS = 32
MAX_FIELD = 4096
"""Bytes of one field: they are numbers, times and one line of text."""

FILE = "file"

SOME_ROOM = 64 << 10
"""What a form may have around its file: headers of parts, and fields."""


@dataclass(slots=True)
class Form:
    """A form that was read; the file's size in bytes, and its name, checked; "" where none was said."""

    fields: dict[str, str] = field(default_factory=dict)
    file_name: str = ""
    size: int = 0
    has_file: bool = False


def read_form(read: Callable[[int], bytes], boundary: bytes, place: Path, check_size: Callable[[int], None]) -> Form:
    """Read a form, its file into `place`; `check_size` raises when the file has become too large.

    Raises BadFileName before the file is read; BadRequest for what is no such form, or is cut short; StorageFull.
    """
    form = Form()
    with InOurWords(""), place.open("wb", buffering=0) as target:
        name: str | None = None  # of the field whose text comes; None while it is the file's bytes
        text = b""
        for event in _events(read, boundary):
            if isinstance(event, File) or (isinstance(event, Field) and event.name == FILE):
                name = None
                _is_the_file(event, form)
            elif isinstance(event, Field):
                name, text = event.name, b""
            elif isinstance(event, Data) and name is None:
                form.size += len(event.data)
                check_size(form.size)
                _write(target, event.data)
            elif isinstance(event, Data) and name is not None:
                text += event.data
                if len(text) > MAX_FIELD:
                    raise BadRequest(f"A field has at most {MAX_FIELD} bytes.", detail={"field": name[:100]})
                if not event.more_data:
                    _add(form, name, text)
    if not form.has_file:
        raise BadRequest(f"The form has no part `{FILE}` with a file.")
    return form


def _is_the_file(event: Field | File, form: Form) -> None:
    if event.name != FILE or form.has_file:
        raise BadRequest(f"A form carries one file, in its part `{FILE}`.")
    read = event.filename if isinstance(event, File) else None
    form.has_file, form.file_name = True, name_in_header(event.headers.get("Content-Disposition", ""), read)


def _write(target: RawIOBase, data: bytes) -> None:
    """All of it: what nearly fills a disk is written in part, and only the rest is refused."""
    view = memoryview(data)
    while view:
        view = view[target.write(view) or 0 :]


def _add(form: Form, name: str, text: bytes) -> None:
    if name in form.fields:
        raise BadRequest("A field stands in the form twice.", detail={"field": name[:100]})
    try:
        form.fields[name] = text.decode()
    except UnicodeDecodeError:
        raise BadRequest("A field of the form is not UTF-8.", detail={"field": name[:100]}) from None


def _events(read: Callable[[int], bytes], boundary: bytes) -> Iterator[Event]:
    decoder = MultipartDecoder(boundary, max_form_memory_size=None, max_parts=MAX_PARTS)
    try:
        while True:
            piece = read(PIECE)
            decoder.receive_data(piece or None)
            while True:
                event = decoder.next_event()
                if isinstance(event, NeedData):
                    if len(decoder.buffer) > SOME_ROOM:  # before, between or behind parts: it would be held in memory
                        raise BadRequest("Too much of this form is neither a file nor a field.")
                    break
                yield event
                if isinstance(event, Epilogue):
                    return
            if not piece:
                raise BadRequest("The form is cut short.")
    except (ValueError, RequestEntityTooLarge):
        raise BadRequest("This is no multipart form, or it is cut short, or it has too many parts.") from None
