"""A private PostgreSQL (and, for tests, Redis) that lives as long as some process uses it."""
