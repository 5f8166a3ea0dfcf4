"""Processes in which strangers' files are decoded: kept warm, bounded in memory and time, ended when one hangs.

Decoders are written in C, and a file may take one over. So a process has no secret, no file but what it is handed, no
network where the kernel can keep it from it, and what it says is checked like anything that comes from outside.
"""

from readingroom.confined.line import receive
from readingroom.confined.pool import Pool, Worker

__all__ = ["Pool", "Worker", "receive"]
