"""The same answers as JSON under /api/v1, with typed models."""
