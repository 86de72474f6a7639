"""The bundle: a trained model as a directory of data, without code.

* `classifier`: all that decides an answer.
* `bundle`: a classifier and its records; writing and loading.
* `records`: what the small files hold.
* `blend`: the linear model in the bundle.
* `golden`: made-up texts with known answers.
* `directory`: the files, their hashes, the fingerprint.
* `strict_json`: JSON, read strictly.
* `fetch`: a bundle from this machine or from an object store.
"""
