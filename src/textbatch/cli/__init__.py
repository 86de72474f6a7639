"""The command line: parse, call one function, print one report. Only this room exits.

* `entry`: where the process begins.
* `app`: the commands, and what happens when one fails.
* `command`: a command, made from its class of options and the function that runs it.
* `commands`: one file for each command.
* `options`, `score_options`: options that only the command line has.
* `settings`: values from flags, the environment and a file.
* `then_train`: the `train` command that others name as the next step.
* `score_watched`: a scoring run with its log, metrics, lineage and page.
* `console`, `streams`: where everything is printed.
* `tracebacks`: what `--debug` shows.
* `help`: help that fits into 80 columns.
* `plain_values`: values that typer need not check.
* `own_process`: whether a command has its process for itself.
* `signals`, `memory`, `machine`: how a process stops, limits its memory, and tries its limits.
* `demo`: the tour on made-up data.
* `doctor`: what this machine has, and what is wrong with it.
"""
