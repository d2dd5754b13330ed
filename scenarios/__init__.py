"""Built-in scenarios, read-only; copy one with `zjsim init` or extend it from your own folder."""
