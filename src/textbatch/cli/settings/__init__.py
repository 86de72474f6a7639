"""Where the value of each option comes from: flag, environment, settings file, default.

* `resolve`: finds the value of each option.
* `values`: turns texts into values.
* `file`: the settings file.
* `template`: the file that `textbatch config init` writes.
"""
