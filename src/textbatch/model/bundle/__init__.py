"""The bundle: a trained model as a directory of data, without code.

* `classifier`: all that decides an answer.
* `bundle`: a classifier and its records; writing and loading.
* `records`: what the small files hold.
* `held_out`: the file with the held-out answers.
* `blend`: the linear model in the bundle.
* `golden`: made-up texts with known answers.
* `parts`: its small files, read as records.
* `directory`: the files, their hashes, the fingerprint.
* `verified_file`: one of these files, compared with the manifest.
* `memory`, `memory_limit`: what a model takes in memory, and how much it may.
* `strict_json`: JSON, read strictly.
* `releases`: a folder of versions, and the record that names the current one.
* `fetch`: a bundle from this machine or from an object store; of releases the current one.
"""
