"""What PostgreSQL is asked, and over which connections: below SQLAlchemy, or beside it."""
