"""Work that takes minutes or hours, in processes of its own: how they are started, and how one sees that they live."""

from __future__ import annotations

from readingroom.procedures.beginning import begin_process
from readingroom.procedures.lifeline import Lifeline, Taken
from readingroom.procedures.starting import start_process
from readingroom.procedures.stopping import INTERRUPTED, stop_by_signals

__all__ = ["INTERRUPTED", "Lifeline", "Taken", "begin_process", "start_process", "stop_by_signals"]
