"""Registry tables: declarations, strict reading, writing and provenance. Knows nothing of the domain's mathematics."""
