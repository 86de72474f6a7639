"""The bundle: a directory of data."""
