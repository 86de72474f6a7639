"""HTML pages: one file each, without scripts, with nothing from outside.

* `page`, `page_data`, `figures`: the page about a model, in the bundle and of `evaluate --html`.
* `evaluation_page`: what `evaluate --html` puts on this page.
* `run_page`, `run_page_data`, `run_figures`: the page about a scoring run.
* `diff_page`, `diff_figures`: the page about a comparison.
* `heatmap`: the confusion matrix of many labels.
* `svg`: drawing with matplotlib.
"""
