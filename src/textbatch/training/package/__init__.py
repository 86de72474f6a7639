"""From fitted weights to a measured bundle on disk."""
