"""One series, wherever it lies: found by its key or UID, its files listed and opened."""

from readingroom.series.model import FoundSeries, Origin, SeriesFile, key_of
from readingroom.series.origins import Origins

__all__ = ["FoundSeries", "Origin", "Origins", "SeriesFile", "key_of"]
