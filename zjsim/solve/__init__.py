"""The one solver adapter, result types, exact lexicographic goals, conflicts and repairs. Knows no universities or schools."""
