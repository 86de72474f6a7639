"""Files in, files out. Only this room uses the readers and writers of pyarrow and pandas.

* `output`: outputs that appear whole or not at all, with journal, seal and quarantine.
* `readers`: inputs as streams of record batches.
* `storage`: where files are: on this machine or in an object store.
* `choices`: the values that options may have, and limits on memory.
* `without_pandas`: a process without frames starts without pandas.
* `bad_row_limit`: how many bad rows a command allows.
* `options`, `weighted_options`, `multi_options`: options of commands that read labelled files.
* `json_text`: the one way to write JSON.
* `strict_json`, `toml`: JSON and TOML from outside, read strictly.
"""
