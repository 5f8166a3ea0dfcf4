"""A source that lacks most of what it had: an outage, until somebody says that the loss is meant."""

from __future__ import annotations

import json
import shutil

from readingroom.audit.tables import events_of
from sqlalchemy import select

from tests.fixtures.nas import Nas
from tests.fixtures.nas_trees import make_tree


def test_most_files_are_forgotten_only_when_somebody_says_so(nas: Nas) -> None:
    make_tree(nas.root, 60, 10, junk_of=1000)
    whole = nas.indexed()["enumerated_files"]
    kept = sorted(nas.root.rglob("IM*.dcm"))[0].parent
    for each in sorted(nas.root.rglob("IM*.dcm")):
        if each.parent != kept:
            each.unlink()
    lost = nas.indexed()
    assert "accept_loss" in lost["message"]
    assert (lost["gone"], lost["accept_loss"]) == (0, False)
    (told,) = [each for each in lost["recent_errors"] if each["error_code"] == "most_files_missing"]
    assert (told["error_type"], told["file_path"]) == ("filesystem", None)
    assert "accept_loss" in told["suggestion"]
    (source,) = nas.staff.get("/api/index/sources").get_json()["items"]
    assert source["files"] == 60

    meant = nas.indexed(path=str(nas.root), accept_loss=True)
    assert (meant["gone"], meant["accept_loss"], meant["message"]) == (50, True, "")
    assert meant["recent_errors"] == []
    assert meant["unchanged"] == whole - 50
    (source,) = nas.staff.get("/api/index/sources").get_json()["items"]
    assert source["files"] == 10
    with nas.room.database.read() as connection:
        events = events_of(nas.room.database.is_postgresql)
        begun = connection.scalars(
            select(events.c.payload).where(events.c.action == "index.run.start").order_by(events.c.id)
        )
        told_of = [json.loads(each) if isinstance(each, str) else each for each in begun]
    assert [each["accept_loss"] for each in told_of] == [False, False, True]


def test_a_source_that_is_empty_on_purpose_is_emptied_in_the_catalogue_too(nas: Nas) -> None:
    make_tree(nas.root, 10, 10)
    nas.indexed()
    for each in nas.root.iterdir():
        shutil.rmtree(each) if each.is_dir() else each.unlink()
    refused = nas.ended(nas.start(source=str(nas.root)))
    assert refused["state"] == "offline"
    assert "accept_loss" in refused["recent_errors"][0]["suggestion"]
    assert nas.indexed(source=str(nas.root), acceptLoss=True)["gone"] >= 10
    (source,) = nas.staff.get("/api/index/sources").get_json()["items"]
    assert (source["files"], source["series"], source["online"]) == (0, 0, True)


def test_a_loss_is_accepted_by_a_plain_word_only(nas: Nas) -> None:
    answer = nas.staff.post("/api/index/start", json={"path": str(nas.root), "accept_loss": "perhaps"})
    assert answer.status_code == 400
    assert "accept_loss" in answer.get_json()["message"]
    document = nas.staff.get("/api/openapi.json").get_json()
    assert "accept_loss" in document["components"]["schemas"]["RunWish"]["properties"]
