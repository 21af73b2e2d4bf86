"""The catalogue: what can be sold, at what price."""
