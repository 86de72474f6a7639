"""The demo: the whole tour on made-up data.

* `walkthrough`: makes tickets, trains, scores.
* `tickets`: the made-up tickets.
* `tables`: what the demo shows on the terminal.
"""
