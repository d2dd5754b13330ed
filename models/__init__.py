"""The readable mathematics, one theme per file: no file access, no printing."""
