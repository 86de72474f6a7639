"""Inputs as streams of record batches."""
