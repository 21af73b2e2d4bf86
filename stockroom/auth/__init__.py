"""Who is calling: registration, login, sessions and their tokens."""
