"""What a process that makes pictures and its parent say to each other, beside what confined/handed.py has.

Parent: how long a file is, and its bytes as they are asked for. Process: a picture, or why not.
"""

from __future__ import annotations

PICTURE, NOTHING = b"p", b"n"
"""PICTURE and its bytes; NOTHING and text."""

LARGEST_PICTURE = 1 << 20
