"""How good the answers are, and how far to trust them. Pure: arrays in, numbers out.

* `metrics`: accuracy, precision, recall and F1.
* `multi_label`, `multi_label_metrics`: any number of labels on a row: curves, thresholds, F1.
* `calibration`: the temperature, and the errors of calibration.
* `reliability`: answers beside the true labels, and their histograms.
* `confidence_map`: from confidences of any origin to calibrated ones.
* `confidence_limits`: how many rows a limit on the confidence answers, and how many rightly.
* `paired`: two models on the same rows.
* `text_sketch`: whether texts were among those of the training.
* `thresholds`: from which confidence on a label is right often enough.
* `label_sets`: which labels may be right.
* `novelty`: how unlike all labels a text is.
* `profile`: what the training texts looked like.
* `text_counts`, `scripts`, `distinct`: what texts are like, without a model.
* `two_samples`: how surprising it is that two mixes differ, and how much they do.
* `reference`: the held-out rows of a model, which runs are compared with.
* `drift`: how a run differs from them.
* `priors`: another mix of labels than in training, and answers that allow for it.
* `drift_series`, `e_process`: how a series of runs does.
* `estimated_accuracy`: how right answers without labels probably are.
"""
