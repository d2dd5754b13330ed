"""The registry of actual values that the what-if begins with."""
