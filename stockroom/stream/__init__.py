"""The live stream: events as they happen, over WebSocket and as server-sent events."""
