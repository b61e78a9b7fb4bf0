"""Our own API, at /api/."""
