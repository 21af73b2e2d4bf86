"""Requests that nobody means well with, one module a kind."""
