"""Thumb and web variant of an X-ray and of a photo, beside sharp doing the same: time and peak memory, in one run.

Both are given warm processes and one picture at a time. sharp is installed into the benchmark's scratch folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from readingroom.pictures import Pictures
from readingroom.settings import Settings

from scripts.runtime.report import Report

SHARP = "0.35.5"
RUNS = 7
AIM = 1.5

SERVER = """
import sharp from 'sharp';
import readline from 'node:readline';
sharp.cache(false);
const both = async (file, folder, normalise) => {
  const begin = () => {
    const one = sharp(file).rotate();
    return normalise ? one.normalise({lower: 1, upper: 99}) : one;
  };
  const fit = width => ({width, withoutEnlargement: true});
  await begin().resize(fit(2000)).webp().toFile(`${folder}/web.webp`);
  await begin().resize(fit(400)).webp().toFile(`${folder}/thumb.webp`);
};
for await (const line of readline.createInterface({input: process.stdin})) {
  const {file, folder, normalise} = JSON.parse(line);
  await both(file, folder, normalise);
  const used = process.cpuUsage();
  console.log((used.user + used.system) / 1e6);
}
"""
"""As its manual shows it (rotate by EXIF, fit inside, WebP): each variant from the original."""


@dataclass(frozen=True, slots=True)
class Made:
    """One picture's variants: seconds of the clock and of all processors."""

    clock: float
    processor: float


def run(report: Report) -> None:
    """Each picture in its turn, ours and sharp's by turns."""
    pictures = originals(report.scratch)
    xray = pictures["3000 × 2400 16-bit PNG"]
    folder = report.scratch / "variants"
    folder.mkdir()
    with sharp(report.scratch, folder) as theirs, ours(report.scratch, folder) as mine:
        rows: dict[tuple[str, Path], list[Made]] = {}
        ways: list[tuple[str, Path, Callable[[], Made]]] = []
        for picture in pictures.values():
            ways += [
                ("ours", picture, lambda it=picture: mine.make(it)),
                ("sharp", picture, lambda it=picture: theirs.make(it)),
            ]
        ways.append(("sharp, normalised", xray, lambda: theirs.make(xray, normalise=True)))
        for n in range(RUNS + 1):
            for name, picture, make in ways:
                made = make()
                if n:  # the first warms
                    rows.setdefault((name, picture), []).append(made)
        for what, values in (("processor", lambda m: m.processor), ("clock", lambda m: m.clock)):
            for said, picture in pictures.items():
                table = report.table(f"thumb and web variant of a {said}: time of the {what}", "ms")
                for (name, of), all_made in rows.items():
                    if of == picture:
                        table.add(name, *(values(m) * 1000 for m in all_made), against=name == "sharp")
                if what == "processor":
                    ratio = table.ratio("ours", "sharp")
                    table.aim(f"{ratio:.2f} × sharp's time (aim ≤ {AIM})", ratio <= AIM)
        table = report.table("peak memory of the process that made them all", "MB")
        table.add("ours", mine.peak() / 1e6)
        table.add("sharp", theirs.peak() / 1e6, against=True)


def originals(scratch: Path) -> dict[str, Path]:
    """A radiograph with noise and a border, and a photo with noise, held across and upright."""
    chance = np.random.default_rng(7)
    y, x = np.mgrid[0:2400, 0:3000]
    waves = 20_000 + 15_000 * np.sin(x / 300) * np.cos(y / 200) + (x - 1500) ** 2 / 400
    greys = (waves + chance.normal(0, 300, waves.shape)).clip(0, 65_535).astype(np.uint16)
    greys[:, :200] = 0
    xray = scratch / "xray.png"
    Image.fromarray(greys).save(xray)
    y, x = np.mgrid[0:3000, 0:4000]
    colours = np.stack([np.sin(x / 97 + y / 53), np.sin(x / 211), np.cos(y / 77 + x / 500)], -1) * 100 + 128
    noisy = Image.fromarray((colours + chance.normal(0, 6, colours.shape)).clip(0, 255).astype(np.uint8))
    found = {"3000 × 2400 16-bit PNG": xray}
    for said, orientation in (("12-megapixel JPEG", 1), ("12-megapixel JPEG, held upright", 6)):
        exif = Image.Exif()
        exif[0x0112] = orientation
        found[said] = scratch / f"photo{orientation}.jpg"
        noisy.save(found[said], quality=92, exif=exif)
    return found


class Ours:
    """The room itself: looked at, then made."""

    def __init__(self, pictures: Pictures, folder: Path) -> None:
        self._pictures, self._folder = pictures, folder

    def make(self, picture: Path) -> Made:
        """Both variants."""
        began, spent = time.perf_counter(), self._spent()
        self._pictures.make_variants(picture, self._pictures.inspect(picture), self._folder)
        return Made(time.perf_counter() - began, self._spent() - spent)

    def peak(self) -> int:
        """Bytes of the process that makes them."""
        return peak(self._pid())

    def _pid(self) -> int:
        workers = self._pictures._pool._idle
        return workers[0].pid if workers else 0

    def _spent(self) -> float:
        own = time.process_time()
        return own + processor(self._pid()) if self._pid() else own


class Sharp:
    """One process of node that waits for pictures."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process, self._folder = process, folder
        self._spent = 0.0

    def make(self, picture: Path, *, normalise: bool = False) -> Made:
        """Both variants."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        began = time.perf_counter()
        asked = {"file": str(picture), "folder": str(self._folder), "normalise": normalise}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        spent = float(self._process.stdout.readline())
        made = Made(time.perf_counter() - began, spent - self._spent)
        self._spent = spent
        return made

    def peak(self) -> int:
        """Bytes of the process."""
        return peak(self._process.pid)


@contextmanager
def ours(scratch: Path, folder: Path) -> Iterator[Ours]:
    """One warm process at a time, as the instance has it."""
    pictures = Pictures(Settings.load(READINGROOM_DATA=scratch / "data"))
    try:
        yield Ours(pictures, folder)
    finally:
        pictures.close()


@contextmanager
def sharp(scratch: Path, folder: Path) -> Iterator[Sharp]:
    """sharp in node, warm too."""
    place = scratch / "sharp"
    place.mkdir()
    (place / "package.json").write_text('{"private": true, "type": "module"}')
    (place / "serve.js").write_text(SERVER)
    npm = ["npm", "install", "--no-audit", "--no-fund", "--no-save", f"sharp@{SHARP}"]
    subprocess.run(npm, cwd=place, env=os.environ | {"npm_config_cache": str(place / "cache")}, check=True)
    process = subprocess.Popen(
        ["node", "serve.js"], cwd=place, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Sharp(process, folder)
    finally:
        process.kill()
        process.wait()


def processor(pid: int) -> float:
    """Seconds that process has had, by all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak(pid: int) -> int:
    """The most memory that process has had, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
