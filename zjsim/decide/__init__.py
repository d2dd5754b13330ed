"""From runs to decisions: what differs between runs, what matters, what it would take, whether we are on course."""
