"""The news: events recorded with each change, given positions, and handed to who waits for them."""
