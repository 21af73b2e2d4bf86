"""API keys: how machines call on behalf of an account, within scopes."""
