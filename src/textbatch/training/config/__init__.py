"""The options of the training commands.

* `groups`: options that several of them have.
* `soft`: options for labels that are not sure.
* `update`: options for going on from a model.
* `multi`: the options for rows with several labels.
* `model_import`: the options of `import`.
* `train`, `tune`, `audit`, `vectors`: the options of each command.
"""
