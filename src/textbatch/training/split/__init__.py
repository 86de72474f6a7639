"""Labelled rows, split so that nothing leaks."""
