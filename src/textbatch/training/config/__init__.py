"""The options of the training commands.

* `groups`: options that several of them have.
* `train`, `tune`, `audit`, `vectors`: the options of each command.
"""
