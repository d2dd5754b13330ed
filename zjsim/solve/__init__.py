"""The one solver adapter, result types, exact lexicographic goals, conflicts and repairs.

Knows no universities or schools. Start at :func:`zjsim.solve.goals.lexicographic`.
"""
