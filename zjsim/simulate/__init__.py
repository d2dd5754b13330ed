"""Named random streams, replications, statistics and executors. Knows no universities or schools."""
