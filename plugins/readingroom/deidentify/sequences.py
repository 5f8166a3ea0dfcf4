"""The items of a sequence, whatever VR it came under."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydicom import Dataset
from pydicom.charset import convert_encodings
from pydicom.tag import BaseTag
from pydicom.values import convert_SQ


def items_of(dataset: Dataset, tag: BaseTag) -> Iterable[Dataset]:
    """The items of an element that is a sequence by its VR or by the dictionary.

    pydicom leaves UN of 64 KB and more as it came. What is in it is implicit little endian (PS3.5 section 6.2.2).
    """
    value: Any = dataset[tag].value
    if isinstance(value, bytes):
        value = convert_SQ(value, True, True, convert_encodings(dataset.get("SpecificCharacterSet")))
    return value or ()
