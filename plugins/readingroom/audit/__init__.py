"""The audit trail: what happened, who did it, and proof that nothing was taken out afterwards."""

from readingroom.audit.reading import Reading
from readingroom.audit.trail import Trail

__all__ = ["Reading", "Trail"]
