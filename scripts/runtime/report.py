"""What a benchmark reports: figures side by side, their ratios, and whether aims were met."""

from __future__ import annotations

import json
import os
import platform
import statistics
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path


@dataclass
class Row:
    """One thing measured, as often as it was."""

    what: str
    values: list[float]
    note: str = ""

    @property
    def middle(self) -> float:
        """The median of its runs."""
        return statistics.median(self.values)


@dataclass
class Aim:
    """What was hoped for, and what came out."""

    what: str
    met: bool


@dataclass
class Table:
    """Figures of one unit that belong side by side."""

    title: str
    unit: str
    rows: list[Row] = field(default_factory=list)
    against: list[str] = field(default_factory=list)
    aims: list[Aim] = field(default_factory=list)

    def add(self, what: str, *values: float, note: str = "", against: bool = False) -> Row:
        """One row: a value for each run. With `against`, every row gets a column of its ratio to this one."""
        row = Row(what, [float(value) for value in values], note)
        self.rows.append(row)
        if against:
            self.against.append(what)
        return row

    def ratio(self, what: str, to: str) -> float:
        """How many times `to` the row `what` is, median to median."""
        return self._row(what).middle / self._row(to).middle

    def aim(self, what: str, met: bool) -> None:
        """Say whether an aim was met, in words that hold the figure."""
        self.aims.append(Aim(what, bool(met)))

    def text(self) -> str:
        """As plain text for a terminal."""
        heads = ["", self.unit, "runs", *(f"× {name}" for name in self.against), "note"]
        lines = [heads]
        for row in self.rows:
            spread = (
                f"{min(row.values):,.4g}–{max(row.values):,.4g} ({len(row.values)})" if len(row.values) > 1 else "1"
            )
            ratios = [f"{row.middle / self._row(name).middle:,.2f}" for name in self.against]
            lines.append([row.what, f"{row.middle:,.4g}", spread, *ratios, row.note])
        widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
        drawn = [f"\n{self.title}"]
        for line in lines:
            cells = [
                line[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(line[1:-1], widths[1:-1], strict=True)),
            ]
            drawn.append("  " + "  ".join([*cells, line[-1]]).rstrip())
        drawn += [f"  {'met   ' if aim.met else 'MISSED'}  {aim.what}" for aim in self.aims]
        return "\n".join(drawn)

    def _row(self, what: str) -> Row:
        return next(row for row in self.rows if row.what == what)


class Report:
    """What one benchmark module fills."""

    def __init__(self, name: str, scratch: Path) -> None:
        self.name = name
        self.scratch = scratch
        """A folder of the benchmark's own; deleted afterwards."""
        self.tables: list[Table] = []

    def table(self, title: str, unit: str) -> Table:
        """A new table; `title` says what was measured and how."""
        table = Table(title, unit)
        self.tables.append(table)
        return table

    @property
    def met(self) -> bool:
        """Whether every aim was met."""
        return all(aim.met for table in self.tables for aim in table.aims)

    def write(self, folder: Path) -> Path:
        """Keep the figures as JSON, under the benchmark's name and the time."""
        now = datetime.now(UTC)
        said = {
            "name": self.name,
            "time": now.isoformat(timespec="seconds"),
            "machine": {
                "cores": os.cpu_count(),
                "python": platform.python_version(),
                "suite": os.environ.get("READINGROOM_SUITE", ""),
            },
            "tables": [asdict(table) for table in self.tables],
        }
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / f"{self.name}-{now:%Y%m%dT%H%M%SZ}.json"
        place.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n")
        return place
