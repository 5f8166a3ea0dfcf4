"""Pictures and forms to upload, drawn for the test."""

from __future__ import annotations

import io
import random
from typing import Any

from PIL import Image
from werkzeug.test import TestResponse

from tests.http.conftest import Person


def png(width: int = 640, height: int = 480, seed: int = 1) -> bytes:
    """A grey gradient with a little of its own in it."""
    image = Image.linear_gradient("L").resize((width, height))
    image.putpixel((0, 0), seed % 256)
    image.putpixel((1, 0), seed // 256 % 256)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def jpeg(width: int = 800, height: int = 600) -> bytes:
    """Stripes of colour."""
    image = Image.radial_gradient("L").resize((width, height)).convert("RGB")
    file = io.BytesIO()
    image.save(file, "JPEG")
    return file.getvalue()


def noise_png(size: int, seed: int = 7) -> bytes:
    """A PNG of about so many bytes: noise does not compress."""
    side = int(size**0.5)
    image = Image.frombytes("L", (side, side), random.Random(seed).randbytes(side * side))
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=0)
    return file.getvalue()


def study(person: Person, patient: int = 345, kind: str = "XRAY_BWX") -> int:
    """A fresh study."""
    answer = person.post("/imaging/studies", json={"patientId": patient, "kind": kind})
    assert answer.status_code == 201, answer.text
    return int(answer.get_json()["studyId"])


def form(study_id: int, data: bytes, name: str | None = "bite.png", **fields: Any) -> dict[str, Any]:
    """A form to upload; a field that is None is left out."""
    whole = {"patientId": 345, "studyId": study_id, "modality": "XRAY"} | fields
    sent: dict[str, Any] = {key: str(value) for key, value in whole.items() if value is not None}
    return sent | {"file": (io.BytesIO(data), name)}


def upload(person: Person, study_id: int, data: bytes, name: str | None = "bite.png", **more: Any) -> TestResponse:
    """Send it; `headers` are the request's."""
    headers = more.pop("headers", {})
    return person.put("/imaging/assets/upload", data=form(study_id, data, name, **more), headers=headers)


def filed(person: Person, study_id: int, data: bytes, name: str | None = "bite.png", **more: Any) -> int:
    """Send it; its id."""
    answer = upload(person, study_id, data, name, **more)
    assert answer.status_code == 201, answer.text
    assert list(answer.get_json()) == ["assetId"]
    return int(answer.get_json()["assetId"])
