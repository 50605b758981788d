"""Exhibits of the synthetic irreproducibility paper."""
