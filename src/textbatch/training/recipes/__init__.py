"""Recipes: which network is trained, and how.

* `presets`: the recipes with a name, and the recipe of a command line.
* `file`: recipes in TOML and JSON files.
* `search_space`: the settings that `tune` searches.
"""
