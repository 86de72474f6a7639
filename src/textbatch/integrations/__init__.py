"""Telling other systems about a run. Their libraries are extras, imported when asked for."""
