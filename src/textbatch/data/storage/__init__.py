"""Where files are: on this machine or in an object store.

* `location`: names of places: paths and URIs.
* `names`: which names may become files, and names beside a file.
* `file_state`: what a file was like when it was looked at.
* `files`: what can be done with a file: `InputFile`, `OutputFile`, `FileIO`.
* `file_io`: chooses who does it, by scheme; the entrance of this package.
* `local`: files on this machine.
* `write_through`: writes to devices and pipes.
* `places`: all places of a command: none that is written has another use.
* `walk`: goes through folders of this machine, whatever their links.
* `patterns`: globs for the names of objects.
* `remote`, `remote_reader`: files in any object store, with retries.
* `object_store`: what a store must be able to do.
* `s3_store`, `s3_upload`, `google_store`, `azure_store`, `hub_store`, `fsspec_store`: the
  stores.
* `checksums`, `s3_checksums`: the checksum of an object that is read in pieces.
* `conditional_upload`: an upload that replaces only what was looked at.
* `foreign_settings`: files of settings and credentials that the stores' libraries read.
* `retry`: tries calls again, each with a deadline.
* `failures`: gives failures a class.
* `atomic_file`, `atomic_directory`: files that appear whole or not at all.
* `passing`: what must not stay where a process ends at once.
* `new_tree`: directories for other programs, which know their files.
* `private`: directories that no other user may have touched.
* `model_cache`: models from a store, on this machine.
* `published_file`, `download`: files that others publish, fetched and checked.
"""
