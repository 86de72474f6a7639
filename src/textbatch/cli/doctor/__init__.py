"""`textbatch doctor`: what this machine has, and what is wrong with it.

Nothing here imports a library that could be broken: that happens in processes of their own.

* `record`: what was found. It holds no paths, texts, names of users or machines.
* `machine`: cores, memory, limits, devices, disks.
* `libraries`: which libraries are installed, and which of them can be imported.
* `golden`: the golden rows of a model, answered on this machine.
* `examine`: all of it, and what is wrong.
* `tables`: as a person reads it.
"""
