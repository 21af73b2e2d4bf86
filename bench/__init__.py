"""What measures speed; no part of the tests."""
