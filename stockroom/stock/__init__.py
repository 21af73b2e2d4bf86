"""What is on hand, what is promised, and why: levels, the ledger, reservations."""
