"""The Celery entry point."""
