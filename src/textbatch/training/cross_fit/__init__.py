"""Cross-fitting: every row teaches, and every row measures.

A network and linear models are fitted to the rows outside each fold, and answer the rows in it.
These answers decide: number of epochs, linear model, temperature, limits. The model itself is
fitted to all rows (Chernozhukov et al. 2018 for the name; Stone 1974 for the method).

* `plan`: whether there are folds, and how many.
* `fold`: what is done for a fold, in a process of its own.
* `answers`: the answers of all folds together.
* `fit`: from rows to a network of all rows.
* `measure`: what the answers tell about it.
"""
