"""Exhibits of the local instability paper."""
