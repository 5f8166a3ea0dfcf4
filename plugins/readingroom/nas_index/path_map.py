"""Turns paths as Windows writes them (UNC, drive letters) into paths of this machine's mounts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from readingroom.errors import SettingsError

_LONG_UNC = re.compile(r"^\\\\[?.]\\UNC\\", re.IGNORECASE)
_LONG = re.compile(r"^\\\\[?.]\\(?=[A-Za-z]:)")
_WINDOWS = re.compile(r"^(\\\\|//[^/]|[A-Za-z]:([\\/]|$))")


class PathMap:
    """Prefixes and the mounts they stand for; the longest one that fits wins, whatever its case and slashes."""

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        self._named = sorted(
            ((mount.rstrip("/") or "/", _plain(prefix).rstrip("\\/")) for prefix, mount in prefixes.items()),
            key=lambda each: len(each[0]),
            reverse=True,
        )
        cleaned = [(_folded(prefix), mount.rstrip("/") or "/") for prefix, mount in prefixes.items()]
        self._prefixes = sorted(cleaned, key=lambda each: len(each[0]), reverse=True)

    @property
    def mounts(self) -> tuple[str, ...]:
        """The folders that paths are mapped to."""
        return tuple(mount for _, mount in self._prefixes)

    def unmapped(self, path: str) -> str | None:
        """What `mapped` made this path of, in the prefix's own spelling; None where no mount fits."""
        for mount, prefix in self._named:
            if path.startswith(mount.rstrip("/") + "/"):
                return prefix + path[len(mount.rstrip("/")) :].replace("/", "\\")
        return None

    def mapped(self, path: str) -> str | None:
        """The path on this machine; None for a Windows path that no prefix fits. Any other path is left as it is."""
        plain = _plain(path)
        slashed = plain.replace("\\", "/")
        folded = slashed.lower()
        for prefix, mount in self._prefixes:
            if folded == prefix or folded.startswith(prefix + "/"):
                rest = slashed[len(prefix) :].strip("/")
                return f"{mount.rstrip('/')}/{rest}" if rest else mount
        return None if is_windows(path) else path


def is_windows(path: str) -> bool:
    """Whether a path begins as only Windows writes it: `\\\\server\\share`, `Z:\\`."""
    return bool(_WINDOWS.match(path))


def parse_path_map(text: str) -> PathMap:
    r"""Read `\\nas\images=/mnt/images; Z:\=/mnt/archive`, or a JSON object of the same pairs. Raises SettingsError."""
    text = text.strip()
    if text.startswith("{"):
        try:
            pairs = json.loads(text)
        except ValueError as error:
            raise SettingsError(f"NAS_PATH_MAP is no JSON object: {error}") from None
    else:
        pairs = dict(_pair(part) for part in text.split(";") if part.strip())
    if not all(isinstance(value, str) and value.startswith("/") for value in pairs.values()):
        raise SettingsError("NAS_PATH_MAP: each prefix stands for an absolute folder of this machine")
    return PathMap(pairs)


def _pair(part: str) -> tuple[str, str]:
    prefix, found, mount = part.partition("=")
    if not found or not prefix.strip():
        raise SettingsError(rf"NAS_PATH_MAP: {part.strip()!r} is not of the form \\server\share=/folder")
    return prefix.strip(), mount.strip()


def _plain(path: str) -> str:
    r"""Without the prefix of long paths: `\\?\UNC\nas\x` is `\\nas\x`, `\\?\C:\x` is `C:\x`."""
    return _LONG.sub("", _LONG_UNC.sub(lambda _: "\\\\", path))


def _folded(prefix: str) -> str:
    return _plain(prefix).replace("\\", "/").rstrip("/").lower()
