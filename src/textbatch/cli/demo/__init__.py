"""The demo: the whole tour on made-up data.

* `walkthrough`: makes tickets, trains, scores.
* `files`: files to try the pages of the documentation with.
* `tickets`: the made-up tickets.
* `tables`: what the demo shows on the terminal.
"""
