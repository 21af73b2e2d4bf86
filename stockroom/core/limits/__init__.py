"""Limits: how many requests a caller may make, and how they are counted."""
