"""Which runs the exhibits of each paper need."""

from stablib.studies.session import NULL, Session, open_study

__all__ = ["NULL", "Session", "open_study"]
