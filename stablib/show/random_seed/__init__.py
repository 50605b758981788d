"""Exhibits of the random seed paper."""
