"""Where webhooks lead: which addresses may be called, and how they are reached."""
