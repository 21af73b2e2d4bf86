"""Who is calling: what says so in a request, and who stands behind it."""
