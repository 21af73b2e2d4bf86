"""Events as they happen, by Server-Sent Events and WebSocket."""
