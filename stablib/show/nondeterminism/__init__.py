"""Exhibits of the nondeterminism paper."""
