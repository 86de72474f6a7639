"""From a fitted network to a measured bundle on disk.

* `assemble`: calibrates the network and measures it.
* `held_out`: the held-out rows, which runs are compared with.
* `baselines`: the simple models that it is compared with.
* `shortcuts`: what int8 and early exit change.
* `novelty`: what it calls ordinary.
* `multi_label`: the same for any number of labels on a row.
* `page`, `model_card`: the bundle's HTML page and its README.md.
* `save`: writes report and bundle.
"""
