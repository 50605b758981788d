"""What the papers report, as data."""
