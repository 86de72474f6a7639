"""How good the answers are, and how far to trust them. Pure: arrays in, numbers out."""
