"""Deliveries on their way: taken from the queue, sent side by side, and tried again."""
