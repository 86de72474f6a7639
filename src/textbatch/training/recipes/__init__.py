"""Presets, settings files and what `tune` searches."""
