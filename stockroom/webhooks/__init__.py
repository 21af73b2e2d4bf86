"""Events sent to the addresses that administrators name (Standard Webhooks)."""
