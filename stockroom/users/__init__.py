"""People and machines that have an account, and their roles."""
