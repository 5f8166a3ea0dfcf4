"""Work that takes minutes or hours, in processes of its own: how they are started, and how one sees that they live."""

from __future__ import annotations

from readingroom.procedures.beginning import begin_process
from readingroom.procedures.lifeline import Lifeline, Taken
from readingroom.procedures.starting import start_process

__all__ = ["Lifeline", "Taken", "begin_process", "start_process"]
