"""Exhibits of chapter 3 of the thesis."""
