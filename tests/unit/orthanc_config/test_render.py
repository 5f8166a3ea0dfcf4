"""What render.py writes for Orthanc and the gateway, and what it refuses to write."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.gateway import RENDER, render_module

render = render_module()


@pytest.fixture
def values(tmp_path: Path) -> dict[str, object]:
    return {
        "data": str(tmp_path / "data"),
        "gateway_secret": "a-secret",
        "web_root": str(tmp_path / "web"),
        "plugin_script": "/srv/plugins/main.py",
    }


def orthanc_json(values: dict[str, object], out: Path) -> dict[str, object]:
    render.render(values, out)
    whole: dict[str, object] = json.loads((out / "orthanc.json").read_text())
    return whole


def gateway_text(values: dict[str, object], out: Path) -> str:
    render.render(values, out)
    return "\n".join(file.read_text() for file in sorted(out.rglob("*.conf")))


def test_orthanc_keeps_its_own_password_list_off_and_stays_on_loopback(
    values: dict[str, object], tmp_path: Path
) -> None:
    told = orthanc_json(values, tmp_path / "run")
    assert told["AuthenticationEnabled"] is False
    assert told["RemoteAccessAllowed"] is False
    assert told["HttpBindAddresses"] == ["127.0.0.1"]


def test_in_containers_orthanc_answers_other_hosts(values: dict[str, object], tmp_path: Path) -> None:
    told = orthanc_json({**values, "orthanc_remote": True}, tmp_path / "run")
    assert told["RemoteAccessAllowed"] is True
    assert "HttpBindAddresses" not in told


def test_unknown_modalities_may_only_ask_whether_we_are_there(values: dict[str, object], tmp_path: Path) -> None:
    told = orthanc_json({**values, "modalities": {"ct": ["CT1", "10.0.0.9", 104]}}, tmp_path / "run")
    assert [name for name in told if name.startswith("DicomAlwaysAllow") and told[name]] == ["DicomAlwaysAllowEcho"]
    assert told["DicomCheckCalledAet"] is True
    assert told["DicomModalities"] == {"ct": ["CT1", "10.0.0.9", 104]}


def test_doors_into_the_machine_stay_shut(values: dict[str, object], tmp_path: Path) -> None:
    told = orthanc_json(values, tmp_path / "run")
    for door in ("ExecuteLuaEnabled", "RestApiWriteToFileSystemEnabled", "WebDavEnabled"):
        assert told[door] is False, door


def test_gdcm_is_loaded_only_where_asked_and_then_after_the_builtin_decoder(
    values: dict[str, object], tmp_path: Path
) -> None:
    without = orthanc_json(values, tmp_path / "run")
    assert not any("Gdcm" in plugin for plugin in without["Plugins"])  # type: ignore[attr-defined]
    assert "BuiltinDecoderTranscoderOrder" not in without
    with_gdcm = orthanc_json({**values, "gdcm": True}, tmp_path / "run")
    assert any("Gdcm" in plugin for plugin in with_gdcm["Plugins"])  # type: ignore[attr-defined]
    assert with_gdcm["BuiltinDecoderTranscoderOrder"] == "Before"


def test_a_sites_own_options_win_and_objects_merge(values: dict[str, object], tmp_path: Path) -> None:
    own = {"StableAge": 5, "DicomWeb": {"StudiesMetadata": "MainDicomTags"}}
    told = orthanc_json({**values, "orthanc_options": own}, tmp_path / "run")
    assert told["StableAge"] == 5
    assert told["DicomWeb"]["StudiesMetadata"] == "MainDicomTags"  # type: ignore[index]
    assert told["DicomWeb"]["Root"] == "/dicom-web/"  # type: ignore[index]


def test_files_with_the_secret_are_for_their_owner_alone(values: dict[str, object], tmp_path: Path) -> None:
    render.render(values, tmp_path / "run")
    for file in (tmp_path / "run").rglob("*.conf"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_no_placeholder_is_left_and_everything_lies_in_the_instances_folder(
    values: dict[str, object], tmp_path: Path
) -> None:
    text = gateway_text(values, tmp_path / "run")
    assert "{{" not in text
    assert not re.search(r"/var/|/etc/", text)


def test_relative_folders_become_absolute(
    values: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = orthanc_json({**values, "data": "here"}, tmp_path / "run")
    assert told["StorageDirectory"] == str(tmp_path / "here" / "orthanc" / "storage")


@pytest.mark.parametrize("evil", ['a";}', "a$b", "a\nb", "a{b}", "a;b", "a\\b"])
def test_a_value_that_would_leave_its_place_in_the_file_is_refused(
    values: dict[str, object], tmp_path: Path, evil: str
) -> None:
    with pytest.raises(ValueError, match="web_root"):
        render.render({**values, "web_root": evil}, tmp_path / "run")
    with pytest.raises(ValueError, match="trusted_proxies"):
        render.render({**values, "trusted_proxies": [evil]}, tmp_path / "run")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"tls_certificate": "/c.pem"}, "tls_key"),
        ({"redirect_port": 80}, "redirect_port"),
        ({"dicom_aet": "LONGER THAN SIXTEEN"}, "dicom_aet"),
        ({"dicom_aet": ""}, "dicom_aet"),
        ({"cors_origins": ["*"]}, "cors_origins"),
        ({"cors_origins": ["https://a.example/path"]}, "cors_origins"),
        ({"prot": 1}, "prot"),
        ({"data": ""}, "data"),
    ],
)
def test_a_value_that_does_not_fit_is_named(
    values: dict[str, object], tmp_path: Path, wrong: dict[str, object], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        render.render({**values, **wrong}, tmp_path / "run")


def test_values_come_from_the_environment_in_the_type_of_their_default() -> None:
    read = render.values_from_environment(
        {
            "READINGROOM_PORT": "81",
            "READINGROOM_GDCM": "yes",
            "READINGROOM_MODALITIES": '{"ct": ["CT1", "h", 104]}',
            "READINGROOM_TRUSTED_PROXIES": "10.0.0.0/8, 192.168.0.1",
            "CORS_ORIGINS": "https://a.example",
            "READINGROOM_DICOM_AET": "",
        }
    )
    assert read == {
        "port": 81,
        "gdcm": True,
        "modalities": {"ct": ["CT1", "h", 104]},
        "trusted_proxies": ["10.0.0.0/8", "192.168.0.1"],
        "cors_origins": ["https://a.example"],
    }


def test_a_variable_that_does_not_fit_is_named() -> None:
    for wrong in ({"READINGROOM_PORT": "eighty"}, {"READINGROOM_GDCM": "maybe"}, {"READINGROOM_MODALITIES": "[]"}):
        with pytest.raises(ValueError, match=next(iter(wrong)).removeprefix("READINGROOM_") + "|modalities"):
            render.values_from_environment(wrong)


def test_every_template_value_is_told_or_made(values: dict[str, object], tmp_path: Path) -> None:
    asked = {
        word
        for template in (RENDER.parent / "gateway").glob("*.template")
        for word in re.findall(r"\{\{(\w+)\}\}", template.read_text())
    }
    assert asked  # rendering fails on a word that nobody gives: see _filled
    render.render(values, tmp_path / "run")


def test_a_long_data_folder_still_has_a_socket(values: dict[str, object], tmp_path: Path) -> None:
    deep = tmp_path / ("a-folder-with-a-long-name-" * 4) / "run"
    text = gateway_text(values, deep)
    sockets = set(re.findall(r'"unix:([^"]+)"', text))
    assert len(sockets) == 1
    assert len(sockets.pop().encode()) < 108


def test_zips_come_from_the_plugins_socket_where_there_is_one(values: dict[str, object], tmp_path: Path) -> None:
    deep = tmp_path / ("a-folder-with-a-long-name-" * 4) / "run"
    place = render.zip_socket(deep)
    assert len(str(place).encode()) < 108
    for socket, way in ((str(place), "streams"), ("", "slices")):
        render.render({**values, "zip_socket": socket}, tmp_path / way)
        main, ours = ((tmp_path / way / name).read_text() for name in ("nginx.conf", "gateway/ours.conf"))
        assert f'gateway/{way}.conf"' in main
        assert f'gateway/{way}_fetched.conf"' in ours
    assert f'server "unix:{place}"' in (tmp_path / "streams" / "gateway" / "streams.conf").read_text()


def test_the_command_line_says_what_can_be_set() -> None:
    said = subprocess.run([sys.executable, str(RENDER), "--values"], capture_output=True, text=True, check=True).stdout
    assert "READINGROOM_TLS_CERTIFICATE" in said
    wrong = subprocess.run([sys.executable, str(RENDER), "out"], capture_output=True, text=True, env={}, check=False)
    assert wrong.returncode == 1
    assert "gateway_secret" in wrong.stderr


def test_ohif_is_served_where_there_is_one_and_else_the_page_says_that_there_is_none(
    values: dict[str, object], tmp_path: Path
) -> None:
    without = gateway_text(values, tmp_path / "run")
    assert "ohif.conf" not in (tmp_path / "run/gateway/page.conf").read_text()
    assert "location ~ ^/ohif(/|$) {" in without
    folder = tmp_path / "ohif"
    gateway_text({**values, "ohif_root": str(folder)}, tmp_path / "run")
    assert "/gateway/ohif.conf" in (tmp_path / "run/gateway/page.conf").read_text()
    assert f'alias "{folder}/files/";' in (tmp_path / "run/gateway/ohif.conf").read_text()


def test_a_site_can_say_that_it_wants_no_ohif(values: dict[str, object]) -> None:
    assert render.values_from_environment({"READINGROOM_OHIF_ROOT": "none"}) == {"ohif_root": ""}
    assert render.values_from_environment({"READINGROOM_OHIF_ROOT": ""}) == {}
