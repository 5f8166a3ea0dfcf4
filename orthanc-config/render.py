#!/usr/bin/env python3
"""Writes orthanc.json and nginx.conf for one instance from the templates beside it.

Used by `scripts/serve` on the host and by the Docker images; standard library only, Python 3.11 or newer.

    render({"data": "/srv/reading-room", "port": 8080, ...}, Path("/srv/reading-room/run"))
    python3 render.py OUT_DIR     # the same with values from READINGROOM_<NAME> variables

The values are told one by one in `instance_values.VALUES`; `python3 render.py --values` prints them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import resource
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))  # this folder is no package: the Docker images carry it as it is

from instance_values import VALUES, BadValue, checked, from_environment, listed, mapping  # noqa: E402  # from HERE

FORM_BYTES = 1 << 20
"""What a form may have around its file before the gateway refuses it; the plugin counts the file itself."""

SLICES_A_CHUNK = 2
"""How much of one download the gateway may hold for a slow client (see gateway/slices.conf.template), in slices."""


def render(values: Mapping[str, object], out_dir: Path) -> None:
    """Write `orthanc.json`, `nginx.conf` and `gateway/*.conf` into `out_dir` (0600: they carry the gateway's secret).

    Folders that Orthanc and nginx need below `data` are made as well. Raises BadValue naming what does not fit.
    """
    known = checked(values)
    out_dir = Path(out_dir).resolve()
    for folder in _folders(known):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(out_dir / "orthanc.json", json.dumps(orthanc_options(known), indent=2, ensure_ascii=False) + "\n")
    words = _words(known, out_dir)
    for template in sorted((HERE / "gateway").glob("*.conf.template")):
        name = template.name.removesuffix(".template")
        place = out_dir / name if name == "nginx.conf" else out_dir / "gateway" / name
        _write(place, _filled(template, words))


def nginx_command(out_dir: Path, data: Path) -> list[str]:
    """The command that runs the gateway in the foreground; stops at SIGQUIT (lets downloads end) or SIGTERM (at once).

    A socket file that a killed nginx left behind would keep the next one from starting: it goes first.
    """
    out_dir, data = Path(out_dir).resolve(), Path(data).absolute()
    nginx = [
        "nginx",
        "-e",
        str(data / "logs" / "gateway-error.log"),
        "-p",
        str(out_dir),
        "-c",
        str(out_dir / "nginx.conf"),
    ]
    return ["sh", "-c", 'rm -f "$1"; shift; exec "$@"', "gateway", str(_slices_socket(out_dir)), *nginx]


def zip_socket(out_dir: Path) -> Path:
    """Where the plugin gives zips to the gateway, on a machine that runs both."""
    return _socket(Path(out_dir).resolve(), "zips")


def orthanc_options(values: Mapping[str, object]) -> dict[str, object]:
    """All that Orthanc is told: the policy in orthanc.json, this instance's places, the site's options last."""
    policy = re.sub(r"^\s*//.*$", "", (HERE / "orthanc.json").read_text(encoding="utf-8"), flags=re.MULTILINE)
    options: dict[str, object] = json.loads(policy)
    data = Path(str(values["data"]))
    plugins = ["libOrthancPython.so", "libOrthancDicomWeb.so", *(["libOrthancGdcm.so"] if values["gdcm"] else [])]
    options |= {
        "Name": values["name"],
        "StorageDirectory": str(values["orthanc_storage"] or data / "orthanc" / "storage"),
        "IndexDirectory": str(values["orthanc_index"] or data / "orthanc" / "index"),
        "TemporaryDirectory": str(data / "run" / "orthanc-temp"),
        "HttpPort": values["orthanc_port"],
        "RemoteAccessAllowed": values["orthanc_remote"],
        "DicomPort": values["dicom_port"],
        "DicomAet": values["dicom_aet"],
        "DicomModalities": values["modalities"],
        "DicomCheckModalityHost": values["check_modality_host"],
        "Plugins": [str(Path(str(values["plugin_folder"])) / plugin) for plugin in plugins],
        "PythonScript": str(values["plugin_script"]),
    }
    if not values["orthanc_remote"]:
        options["HttpBindAddresses"] = ["127.0.0.1"]
    if values["gdcm"]:
        # In the default order a request for JPEG-LS ends Orthanc with SIGSEGV; the other way none did.
        options["BuiltinDecoderTranscoderOrder"] = "Before"
    return _merged(options, mapping(values["orthanc_options"], "orthanc_options"))


def values_from_environment(environment: Mapping[str, str]) -> dict[str, object]:
    """Values from READINGROOM_<NAME> variables. Raises BadValue naming the one that does not fit."""
    return from_environment(environment)


def _folders(values: Mapping[str, object]) -> list[Path]:
    data = Path(str(values["data"]))
    run = data / "run"
    own = [
        Path(str(values[key] or data / "orthanc" / leaf))
        for key, leaf in (("orthanc_storage", "storage"), ("orthanc_index", "index"))
    ]
    return [data / "logs", run / "gateway", run / "orthanc-temp", run / "gateway-temp", *own]


def _words(values: Mapping[str, object], out_dir: Path) -> dict[str, str]:
    data = Path(str(values["data"]))
    tls = bool(values["tls_certificate"])
    port, listen = values["port"], str(values["listen"])
    address = f"[{listen}]:{port}" if ":" in listen else f"{listen}:{port}"
    words = {name: str(value) for name, value in values.items() if isinstance(value, str | int)}
    words |= {
        "logs": str(data / "logs"),
        "run": str(data / "run"),
        "temp": str(data / "run" / "gateway-temp"),
        "includes": str(out_dir / "gateway"),
        "slices_socket": str(_slices_socket(out_dir)),
        "zip_way": "streams" if values["zip_socket"] else "slices",
        "chunk_bytes": str(int(str(values["slice_bytes"])) * SLICES_A_CHUNK),
        "user": "user root;" if os.geteuid() == 0 else "",
        "open_files": str(_open_files(int(str(values["worker_connections"])))),
        "orthanc_server": _orthanc_server(values),
        "listen_line": f"listen {address}{' ssl' if tls else ''};",
        "tls_lines": _tls(values) if tls else "",
        "resolver_line": f"resolver {values['resolver']} valid=10s;" if values["resolver"] else "",
        "redirect_server": _redirect(values, listen) if values["redirect_port"] else "",
        "trusted_networks": "\n".join(f"    {network} 1;" for network in listed(values["trusted_proxies"])),
        "real_ip": "\n".join(f"set_real_ip_from {network};" for network in listed(values["trusted_proxies"])),
        "cors_origins": "\n".join(f'    "{origin}" "{origin}";' for origin in listed(values["cors_origins"])),
        "ohif": _ohif(values, out_dir),
        "upload_bytes": str(int(str(values["max_upload_mb"])) * 1024 * 1024),
        "asset_form_bytes": str(int(str(values["imaging_max_upload_mb"])) * 1024 * 1024 + FORM_BYTES),
        "asset_body": _asset_body(out_dir) if values["bodies_by_file"] else "",
        "asset_body_file": ASSET_BODY_FILE if values["bodies_by_file"] else "",
    }
    return words


ASSET_BODY_FILE = '"~^/imaging/assets/upload/?$" $request_body_file;'


def _asset_body(out_dir: Path) -> str:
    """An asset's form stays in the gateway's file and goes over by its name: Orthanc would hold all of it in memory."""
    lines = (
        "client_body_in_file_only clean;",
        f'include "{out_dir / "gateway"}/forwarded.conf";',
        "proxy_set_header Content-Length 0;",
        "proxy_pass_request_body off;",
    )
    return "\n".join(f"    {line}" for line in lines)


def _orthanc_server(values: Mapping[str, object]) -> str:
    """The line of an upstream; with a resolver the name is looked up again when the answer's time is over."""
    resolve = " resolve" if values["resolver"] else ""
    return f"server {values['orthanc_host']}:{values['orthanc_port']} max_fails=0{resolve};"


def _tls(values: Mapping[str, object]) -> str:
    return "\n".join(
        (
            "http2 on;",
            f'ssl_certificate "{values["tls_certificate"]}";',
            f'ssl_certificate_key "{values["tls_key"]}";',
            "ssl_protocols TLSv1.2 TLSv1.3;",
            "ssl_prefer_server_ciphers off;",
            "ssl_session_cache shared:tls:4m;",
            "ssl_session_timeout 1d;",
            "ssl_session_tickets off;",
            "# Plain HTTP on the TLS port: send the person to the right place instead of a riddle.",
            "error_page 497 =308 https://$http_host$request_uri;",
        )
    )


def _redirect(values: Mapping[str, object], listen: str) -> str:
    names = listed(values["server_names"])
    host = names[0] if names else "$host"
    suffix = "" if values["port"] == 443 else f":{values['port']}"
    address = f"[{listen}]:{values['redirect_port']}" if ":" in listen else f"{listen}:{values['redirect_port']}"
    return "\n".join(("server {", f"    listen {address};", f"    return 308 https://{host}{suffix}$request_uri;", "}"))


def _ohif(values: Mapping[str, object], out_dir: Path) -> str:
    """OHIF, or the web app's own words that there is nothing at this address."""
    if values["ohif_root"]:
        return f'include "{out_dir / "gateway"}/ohif.conf";'
    return "location ~ ^/ohif(/|$) {\n    try_files /index.html =404;\n}"


def _slices_socket(out_dir: Path) -> Path:
    """Where the gateway talks to itself."""
    return _socket(out_dir, "slices")


def _socket(out_dir: Path, name: str) -> Path:
    """A path too long for a socket (107 bytes) moves to the temporary folder."""
    place = out_dir / f"{name}.sock"
    if len(os.fsencode(place)) < 100:
        return place
    known_by = hashlib.sha256(os.fsencode(out_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"readingroom-{known_by}-{name}.sock"


def _open_files(connections: int) -> int:
    """Two sockets and up to two temporary files for each proxied request, within what this process may have at all."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = connections * 4
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def _filled(template: Path, words: Mapping[str, str]) -> str:
    def word(match: re.Match[str]) -> str:
        try:
            return words[match[1]]
        except KeyError:
            raise BadValue(f"{template.name} asks for {match[1]!r}, which nobody gives") from None

    return re.sub(r"\{\{(\w+)\}\}", word, template.read_text(encoding="utf-8"))


def _merged(base: dict[str, object], over: Mapping[str, object]) -> dict[str, object]:
    """Objects merge, everything else is replaced: the rule of Orthanc's own Docker image."""
    whole = dict(base)
    for key, value in over.items():
        below = whole.get(key)
        whole[key] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return whole


def _write(place: Path, text: str) -> None:
    """Beside its place, synced, renamed: a reader sees the old file or the new one."""
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = place.with_name(f".{place.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(place)


def main(arguments: list[str]) -> int:
    """Render from the environment into the folder named on the command line, or print what can be set."""
    if arguments == ["--values"]:
        for value in VALUES:
            default = "required" if value.default is None else value.default
            print(f"READINGROOM_{value.name.upper()}\t{default}\t{value.meaning}")
        return 0
    if len(arguments) != 1:
        print("usage: render.py OUT_DIR | --values   (values come from READINGROOM_* variables)", file=sys.stderr)
        return 2
    try:
        render(values_from_environment(os.environ), Path(arguments[0]))
    except BadValue as error:
        print(f"render.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
