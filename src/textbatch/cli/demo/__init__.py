"""The whole tour on made-up data."""
