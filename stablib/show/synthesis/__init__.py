"""The closing chapter: what carries over."""
