"""Progress and tables."""
