"""What can be set about one instance's Orthanc and gateway: each value's name, default and meaning, and the checks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

SLICE_BYTES = 8 * 1024 * 1024
"""One slice lies whole in Orthanc's memory while it is sent. 4 MiB went as fast and cost a fifth more CPU."""


class Value(NamedTuple):
    """One value; its environment variable is READINGROOM_<NAME>. A default of None: it must be given."""

    name: str
    default: object
    meaning: str


VALUES = (
    Value("data", None, "folder of the instance (logs/, run/, orthanc/ lie in it)"),
    Value("gateway_secret", None, "shared with the plugin: proves that forwarded headers come from the gateway"),
    Value("web_root", None, "folder of the built web app (index.html, assets/)"),
    Value("plugin_script", None, "plugins/main.py"),
    Value("port", 8080, "port of the gateway"),
    Value("listen", "127.0.0.1", "address the gateway listens on; 0.0.0.0 or :: for all"),
    Value("ohif_root", "", "folder of an OHIF laid out for /ohif/, or `none`; empty: scripts/serve fetches one"),
    Value("plugin_folder", "/usr/share/orthanc/plugins", "where Orthanc's shared libraries lie"),
    Value(
        "gdcm", False, "load GDCM's transcoder: on Orthanc 1.13 and newer only (on 1.12 a request can end the server)"
    ),
    Value("name", "Reading Room", "shown in Orthanc Explorer and at /system"),
    Value("orthanc_host", "127.0.0.1", "where the gateway reaches Orthanc"),
    Value("orthanc_port", 8042, "Orthanc's HTTP port"),
    Value(
        "resolver", "", "DNS server asked again for orthanc_host while running (containers move); needs nginx 1.27.3"
    ),
    Value("orthanc_remote", False, "Orthanc answers other hosts too (containers); else loopback alone"),
    Value("orthanc_storage", "", "Orthanc's files; empty: orthanc/storage in the data folder"),
    Value("orthanc_index", "", "Orthanc's SQLite index; empty: orthanc/index in the data folder"),
    Value("orthanc_options", {}, "JSON: further Orthanc options, laid over everything else"),
    Value("dicom_port", 4242, "port for modalities"),
    Value("dicom_aet", "READINGROOM", "our AE title"),
    Value("modalities", {}, 'JSON: known modalities, {"name": ["AET", "host", 104]} or Orthanc\'s long form'),
    Value("check_modality_host", False, "also require that a modality calls from its own address"),
    Value("cors_origins", [], "origins that may call from other pages, separated by commas"),
    Value("tls_certificate", "", "PEM chain; with tls_key the gateway speaks TLS and HTTP/2"),
    Value("tls_key", "", "its private key"),
    Value("redirect_port", 0, "plain-HTTP port that only redirects to TLS; 0: none"),
    Value("server_names", [], "the first is the name that the redirect gives; empty: the one the client used"),
    Value("trusted_proxies", [], "networks of outer proxies whose X-Forwarded-For and -Proto are believed"),
    Value("max_upload_mb", 4096, "largest upload (DICOM file, STOW request)"),
    Value("imaging_max_upload_mb", 100, "largest imaging asset that comes in one request"),
    Value("bodies_by_file", False, "Orthanc may read the gateway's temporary files: one data folder, one user"),
    Value("max_body_kb", 1024, "largest body elsewhere (JSON)"),
    Value("sign_in_per_minute", 60, "sign-ins per address; as many again may come at once (a class signs in together)"),
    Value("unlock_per_minute", 30, "passcode attempts on shared links per address"),
    Value("share_streams_per_link", 4, "downloads at a time by one shared link"),
    Value("share_streams", 32, "downloads at a time by all shared links"),
    Value("connections_per_address", 2000, "simultaneous requests per address (a whole hospital can sit behind one)"),
    Value("slice_bytes", SLICE_BYTES, "size of the zip slices asked from Orthanc; the plugin refuses larger ones"),
    Value("zip_socket", "", "Unix socket that the plugin gives zips on; empty: slice by slice through Orthanc"),
    Value("workers", "auto", "nginx worker processes"),
    Value("worker_connections", 4096, "connections per worker: two for a proxied request, four for a download"),
    Value("read_timeout", 600, "seconds to wait for Orthanc between two reads"),
    Value("error_level", "crit", "level of nginx's error log; below crit it writes request lines, tickets included"),
)

PLACES = {"data", "web_root", "ohif_root", "plugin_script", "plugin_folder"} | {
    "orthanc_storage",
    "orthanc_index",
    "tls_certificate",
    "tls_key",
    "zip_socket",
}
"""Made absolute: nginx and Orthanc would each take a relative path from another folder."""

ALSO = {
    "cors_origins": "CORS_ORIGINS",
    "imaging_max_upload_mb": "IMAGING_MAX_UPLOAD_MB",
    "share_streams": "SHARE_STREAMS",
    "share_streams_per_link": "SHARE_STREAMS_PER_LINK",
}
"""Variables that the plugin knows by another name."""

NONE = "none"
"""Says of a folder that there is to be none, where an empty variable means that nothing was said."""

UNWRITABLE = re.compile(r'["$\\\n\r{};]')
"""nginx has no way to write a literal dollar sign; the others would end the string or block they stand in."""


class BadValue(ValueError):
    """A value is missing, unknown or would not fit into the configuration; the message names it."""


def from_environment(environment: Mapping[str, str]) -> dict[str, object]:
    """Values from READINGROOM_<NAME> variables, turned into the type of the default; what is unset stays out."""
    found: dict[str, object] = {}
    for value in VALUES:
        text = environment.get(f"READINGROOM_{value.name.upper()}") or environment.get(ALSO.get(value.name, ""), "")
        if text:
            found[value.name] = _read(value, text)
    if found.get("ohif_root") == NONE:
        found["ohif_root"] = ""
    return found


def _read(value: Value, text: str) -> object:
    try:
        match value.default:
            case bool():
                return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[text.lower()]
            case int():
                return int(text)
            case dict():
                return mapping(json.loads(text), value.name)
            case list():
                return [part.strip() for part in text.split(",") if part.strip()]
    except (KeyError, ValueError) as error:
        raise BadValue(f"READINGROOM_{value.name.upper()} does not fit ({value.meaning})") from error
    return text


def checked(values: Mapping[str, object]) -> dict[str, object]:
    """Every value, defaults filled in and paths absolute. Raises BadValue naming what is missing or does not fit."""
    if missing := [value.name for value in VALUES if value.default is None and not values.get(value.name)]:
        raise BadValue(f"missing: {', '.join(missing)}")
    defaults = {value.name: value.default for value in VALUES}
    if unknown := sorted(set(values) - set(defaults)):
        raise BadValue(f"unknown: {', '.join(unknown)}")
    known = {**defaults, **values}
    for name in PLACES:
        if known[name]:
            known[name] = str(Path(str(known[name])).absolute())
    for name, value in known.items():
        if not isinstance(value, dict) and any(UNWRITABLE.search(part) for part in listed(value) or [str(value)]):
            raise BadValue(f"{name} has a character that nginx's configuration cannot carry: quote, $, \\, {{, }}, ;")
    _fit_together(known)
    return known


def _fit_together(known: Mapping[str, object]) -> None:
    if bool(known["tls_certificate"]) != bool(known["tls_key"]):
        raise BadValue("tls_certificate and tls_key go together")
    if known["redirect_port"] and not known["tls_certificate"]:
        raise BadValue("redirect_port redirects to TLS and needs tls_certificate")
    if not re.fullmatch(r"[\x20-\x5b\x5d-\x7e]{1,16}", str(known["dicom_aet"])):
        raise BadValue("dicom_aet is 1 to 16 printable ASCII characters (DICOM PS3.5 section 6.2, AE)")
    for origin in listed(known["cors_origins"]):
        if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+", origin):
            raise BadValue(f"cors_origins: {origin!r} is not an origin such as https://viewer.example.org")


def mapping(value: object, name: str) -> dict[str, object]:
    """The value as an object. Raises BadValue."""
    if not isinstance(value, dict):
        raise BadValue(f"{name} is a JSON object")
    return value


def listed(value: object) -> list[str]:
    """The parts of a list value as text; nothing for anything else."""
    return [str(part) for part in value] if isinstance(value, list | tuple) else []
