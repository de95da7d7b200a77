"""What the service says of itself: /openapi.json, and the same as a page at /docs."""
