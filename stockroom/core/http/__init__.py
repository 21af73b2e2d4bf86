"""HTTP for all features: what comes in is read, what goes out is written and documented."""
