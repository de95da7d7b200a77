"""Who may come in, and how often: keys, limits, addresses."""
