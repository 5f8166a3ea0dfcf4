"""What went before: all runs, of one source or of all, and what each of them could not read."""

from __future__ import annotations

from typing import Any

from tests.fixtures.nas import Nas
from tests.fixtures.nas_trees import make_tree

RUN_KEYS = {
    "run_id", "source", "state", "started_at", "finished_at", "started_by", "files_per_second", "message",
    "enumerated_files", "files_processed", "series_count", "errors", "unchanged", "added", "changed", "moved", "gone",
}  # fmt: skip


def asked(nas: Nas, path: str, **query: Any) -> dict[str, Any]:
    answer = nas.staff.get(path, query_string=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def test_the_history_is_of_one_source_or_of_all_newest_first(nas: Nas) -> None:
    for name in ("left", "right"):
        (nas.root / name).mkdir()
        make_tree(nas.root / name, 20, 10, junk_of=1000)
    runs = [nas.indexed(path=f"{nas.root}/{name}")["run_id"] for name in ("left", "right", "left")]
    every = asked(nas, "/api/index/runs")
    assert [each["run_id"] for each in every["items"]] == runs[::-1]
    assert set(every["items"][0]) >= RUN_KEYS
    assert (every["items"][0]["unchanged"], every["items"][1]["added"]) == (21, 20)  # one file is not DICOM
    assert all(each["started_at"] <= each["finished_at"] and each["started_by"] == "staff" for each in every["items"])
    assert all(each["files_per_second"] > 0 for each in every["items"])
    left = asked(nas, "/api/index/runs", source=f"{nas.root}/left", limit=1, offset=1)
    assert ([each["run_id"] for each in left["items"]], left["total"]) == ([runs[0]], 2)
    assert asked(nas, "/api/index/runs", source="nobody") == {"items": [], "total": 0}


def test_the_errors_of_a_run_come_in_pages_and_by_type(nas: Nas) -> None:
    make_tree(nas.root, 10, 10, junk_of=1000)
    for number in range(7):
        (nas.root / f"no{number}.dcm").write_bytes(b"no DICOM")
    listed = nas.root / "nas_dicom_files.txt"
    there = [f"{nas.root}/no{number}.dcm" for number in range(7)]
    listed.write_text("\n".join([*there, f"{nas.root}/gone.dcm"]))
    run_id = nas.indexed(path=str(listed))["run_id"]
    errors = f"/api/index/runs/{run_id}/errors"
    pages = [asked(nas, errors, limit=5, offset=offset) for offset in (0, 5)]
    assert [(len(each["items"]), each["total"]) for each in pages] == [(5, 8), (3, 8)]
    paths = [each["file_path"] for page in pages for each in page["items"]]
    assert len(set(paths)) == 8
    dicom = asked(nas, errors, error_type="dicom", limit=2)
    assert (len(dicom["items"]), dicom["total"]) == (2, 7)
    (gone,) = asked(nas, errors, error_type="filesystem")["items"]
    assert (gone["error_code"], gone["file_path"][-8:]) == ("file_not_found", "gone.dcm")
    assert asked(nas, errors, error_type="network")["total"] == 0
    assert nas.staff.get(errors, query_string={"error_type": "weather"}).status_code == 400
    assert nas.staff.get("/api/index/runs/nobody/errors").status_code == 404
