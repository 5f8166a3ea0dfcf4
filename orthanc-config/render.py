#!/usr/bin/env python3
"""Writes orthanc.json and nginx.conf for one instance from the templates beside it.

Used by `scripts/serve` on the host and by the Docker images; standard library only, Python 3.11 or newer.

    render({"data": "/srv/reading-room", "port": 8080, ...}, Path("/srv/reading-room/run"))
    python3 render.py OUT_DIR          # the same, values from READINGROOM_<NAME> variables (lists by comma, mappings as JSON)

Values (name, default, meaning):

    data                    required    folder of the instance (logs/, run/, orthanc/ lie in it)
    port                    8080        port of the gateway
    listen                  127.0.0.1   address the gateway listens on; 0.0.0.0 or :: for all
    gateway_secret          required    shared with the plugin: proves that forwarded headers come from the gateway
    web_root                required    folder of the built web app (index.html, assets/)
    ohif_root               ""          folder of a built OHIF, served at /ohif/; empty: none
    plugin_script           required    plugins/main.py
    plugin_folder           /usr/share/orthanc/plugins    where Orthanc's shared libraries lie
    gdcm                    False       load GDCM's transcoder: True on Orthanc 1.13 and newer, never on 1.12 (a request can end the server)
    name                    Reading Room    shown in Orthanc Explorer and at /system
    orthanc_host            127.0.0.1   where the gateway reaches Orthanc
    orthanc_port            8042        Orthanc's HTTP port
    orthanc_remote          False       Orthanc answers other hosts too (containers); else loopback alone
    orthanc_storage         ""          Orthanc's files; empty: data/orthanc/storage
    orthanc_index           ""          Orthanc's SQLite index; empty: data/orthanc/index
    orthanc_options         {}          further Orthanc options, laid over everything else (e.g. its PostgreSQL index)
    dicom_port              4242        port for modalities
    dicom_aet               READINGROOM our AE title
    modalities              {}          known modalities: name -> Orthanc's own form ({"AET", "Host", "Port", ...} or [aet, host, port])
    check_modality_host     False       also require that a modality calls from its own address
    cors_origins            []          origins that may call the API from other pages; none by default
    tls_certificate         ""          PEM chain; with tls_key the gateway speaks TLS and HTTP/2 on `port`
    tls_key                 ""          its private key
    redirect_port           0           plain-HTTP port that only redirects to TLS; 0: none
    server_names            []          names that the redirect may name; empty: the one the client used
    trusted_proxies         []          addresses/networks of outer proxies whose X-Forwarded-For and -Proto are believed
    max_upload_mb           4096        largest upload (DICOM file, STOW request, imaging asset)
    max_body_kb             1024        largest body elsewhere (JSON)
    sign_in_per_minute      60          sign-in attempts per address; the same again may come at once (a class signs in together)
    unlock_per_minute       30          passcode attempts on shared links per address
    connections_per_address 2000        simultaneous requests per address (hospitals sit behind one)
    slice_bytes             4194304     size of one zip slice asked from Orthanc; the plugin refuses larger ones
    workers                 auto        nginx worker processes
    worker_connections      4096        connections per worker (two per proxied request)
    read_timeout            600         seconds to wait for Orthanc between two reads
    error_level             crit        nginx error log; below `crit` it writes request lines, tickets included
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

SLICE_BYTES = 4 * 1024 * 1024
"""One slice lies whole in Orthanc's memory while it is sent. 2, 4 and 8 MiB went equally fast, so the smallest that keeps requests few."""

SLICES_A_CHUNK = 8
"""How much of one download the gateway may hold for a slow client (see gateway/slices.conf.template), in slices."""

REQUIRED = ("data", "gateway_secret", "web_root", "plugin_script")

PLACES = ("data", "web_root", "ohif_root", "plugin_script", "plugin_folder", "orthanc_storage", "orthanc_index", "tls_certificate", "tls_key")
"""Made absolute: nginx and Orthanc would each take a relative path from another folder."""

DEFAULTS: dict[str, object] = {
    "port": 8080,
    "listen": "127.0.0.1",
    "ohif_root": "",
    "plugin_folder": "/usr/share/orthanc/plugins",
    "gdcm": False,
    "name": "Reading Room",
    "orthanc_host": "127.0.0.1",
    "orthanc_port": 8042,
    "orthanc_remote": False,
    "orthanc_storage": "",
    "orthanc_index": "",
    "orthanc_options": {},
    "dicom_port": 4242,
    "dicom_aet": "READINGROOM",
    "modalities": {},
    "check_modality_host": False,
    "cors_origins": [],
    "tls_certificate": "",
    "tls_key": "",
    "redirect_port": 0,
    "server_names": [],
    "trusted_proxies": [],
    "max_upload_mb": 4096,
    "max_body_kb": 1024,
    "sign_in_per_minute": 60,
    "unlock_per_minute": 30,
    "connections_per_address": 2000,
    "slice_bytes": SLICE_BYTES,
    "workers": "auto",
    "worker_connections": 4096,
    "read_timeout": 600,
    "error_level": "crit",
}


class BadValue(ValueError):
    """A value is missing, unknown or would not fit into the configuration; the message names it."""


def render(values: Mapping[str, object], out_dir: Path) -> None:
    """Write `orthanc.json`, `nginx.conf` and `gateway/*.conf` into `out_dir` (0600: they carry the gateway's secret).

    Folders that Orthanc and nginx need below `data` are made as well. Raises BadValue naming what does not fit.
    """
    known = _checked(values)
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
    nginx = ["nginx", "-e", str(data / "logs" / "gateway-error.log"), "-p", str(out_dir), "-c", str(out_dir / "nginx.conf")]
    return ["sh", "-c", 'rm -f "$1"; shift; exec "$@"', "gateway", str(_slices_socket(out_dir)), *nginx]


def orthanc_options(values: Mapping[str, object]) -> dict[str, object]:
    """Everything that Orthanc is told: the policy in orthanc.json, this instance's places, and the site's own options last."""
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
        # In the default order a request for JPEG-LS ends Orthanc with SIGSEGV; with the built-in decoder first, none did.
        options["BuiltinDecoderTranscoderOrder"] = "Before"
    return _merged(options, _mapping(values["orthanc_options"], "orthanc_options"))


def values_from_environment(environment: Mapping[str, str]) -> dict[str, object]:
    """Values from `READINGROOM_<NAME>` variables, turned into the type of the default."""
    found: dict[str, object] = {}
    for name in (*REQUIRED, *DEFAULTS):
        text = environment.get(f"READINGROOM_{name.upper()}")
        if text is None or text == "":
            continue
        found[name] = _read(name, text, DEFAULTS.get(name, ""))
    return found


def _read(name: str, text: str, like: object) -> object:
    try:
        if isinstance(like, bool):
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[text.lower()]
        if isinstance(like, int):
            return int(text)
        if isinstance(like, dict):
            return _mapping(json.loads(text), name)
    except (KeyError, ValueError) as error:
        raise BadValue(f"READINGROOM_{name.upper()} does not fit: {text!r}") from error
    if isinstance(like, list):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _checked(values: Mapping[str, object]) -> dict[str, object]:
    if missing := [name for name in REQUIRED if not values.get(name)]:
        raise BadValue(f"missing: {', '.join(missing)}")
    if unknown := sorted(set(values) - set(REQUIRED) - set(DEFAULTS)):
        raise BadValue(f"unknown: {', '.join(unknown)}")
    known = {**DEFAULTS, **values}
    for name in PLACES:
        if known[name]:
            known[name] = str(Path(str(known[name])).absolute())
    for name, value in known.items():
        for part in value if isinstance(value, list | tuple) else [value]:
            if not isinstance(part, dict) and re.search(r'["$\\\n\r{};]', str(part)):
                # nginx has no way to write a literal dollar sign, and the others would end the string they stand in.
                raise BadValue(f"{name} holds a character that a configuration file cannot carry: one of \" $ \\ {{ }} ; or a line break")
    if bool(known["tls_certificate"]) != bool(known["tls_key"]):
        raise BadValue("tls_certificate and tls_key go together")
    if known["redirect_port"] and not known["tls_certificate"]:
        raise BadValue("redirect_port redirects to TLS and needs tls_certificate")
    if not re.fullmatch(r"[\x20-\x5b\x5d-\x7e]{1,16}", str(known["dicom_aet"])):
        raise BadValue("dicom_aet is 1 to 16 printable ASCII characters (DICOM PS3.5, VR AE)")
    for origin in _listed(known["cors_origins"]):
        if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+", origin):
            raise BadValue(f"cors_origins: {origin!r} is not an origin such as https://viewer.example.org")
    return known


def _folders(values: Mapping[str, object]) -> list[Path]:
    data = Path(str(values["data"]))
    run = data / "run"
    own = [Path(str(values[key] or data / "orthanc" / leaf)) for key, leaf in (("orthanc_storage", "storage"), ("orthanc_index", "index"))]
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
        "chunk_bytes": str(int(str(values["slice_bytes"])) * SLICES_A_CHUNK),
        "user": "user root;" if os.geteuid() == 0 else "",
        "open_files": str(_open_files(int(str(values["worker_connections"])))),
        "listen_line": f"listen {address}{' ssl' if tls else ''};",
        "tls_lines": _tls(values) if tls else "",
        "redirect_server": _redirect(values, listen) if values["redirect_port"] else "",
        "trusted_networks": "\n".join(f"    {network} 1;" for network in _listed(values["trusted_proxies"])),
        "real_ip": "\n".join(f"set_real_ip_from {network};" for network in _listed(values["trusted_proxies"])),
        "cors_origins": "\n".join(f'    "{origin}" "{origin}";' for origin in _listed(values["cors_origins"])),
        "ohif": _ohif(values) if values["ohif_root"] else "",
        "upload_bytes": str(int(str(values["max_upload_mb"])) * 1024 * 1024),
        "hsts": "max-age=31536000" if tls else "",
    }
    return words


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
    names = _listed(values["server_names"])
    host = names[0] if names else "$host"
    suffix = "" if values["port"] == 443 else f":{values['port']}"
    address = f"[{listen}]:{values['redirect_port']}" if ":" in listen else f"{listen}:{values['redirect_port']}"
    return "\n".join(("server {", f"    listen {address};", f"    return 308 https://{host}{suffix}$request_uri;", "}"))


def _ohif(values: Mapping[str, object]) -> str:
    return "\n".join(
        (
            "location ^~ /ohif/ {",
            f'    alias "{values["ohif_root"]}/";',
            "    try_files $uri /ohif/index.html;",
            "}",
        )
    )


def _slices_socket(out_dir: Path) -> Path:
    """Where the gateway talks to itself. A socket's path may have 107 bytes (sockaddr_un); a longer one moves to the temporary folder."""
    place = out_dir / "slices.sock"
    if len(os.fsencode(place)) < 100:
        return place
    return Path(tempfile.gettempdir()) / f"readingroom-{hashlib.sha256(os.fsencode(out_dir)).hexdigest()[:16]}.sock"


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


def _mapping(value: object, name: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise BadValue(f"{name} is a JSON object")
    return value


def _listed(value: object) -> list[str]:
    return [str(part) for part in value] if isinstance(value, list | tuple) else []


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
    """Render from the environment into the folder named on the command line."""
    if len(arguments) != 1:
        print("usage: render.py OUT_DIR   (values from READINGROOM_* variables)", file=sys.stderr)
        return 2
    try:
        render(values_from_environment(os.environ), Path(arguments[0]))
    except BadValue as error:
        print(f"render.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
