"""Who scores the tasks of a job, or the chunks of a file: this process, others, or a cluster.

* `port`: what a job asks of a backend.
* `here`: this process, one task after the other.
* `local`: processes on this machine.
* `ray_actors`, `dask_workers`, `spark_jobs`: those of a cluster.
* `ray_start`: the connection to Ray, and how long its workers may take to start.
* `cluster`: what these have in common.
* `last_try`: a last try alone for tasks whose workers died beside others.
* `choose`: the one that the options name.
* `worker`: what such a process does.
* `told`: how far the workers are.
* `chunk_processes`: processes on this machine that share the chunks of one file.
* `chunk_queue`: which of them gets which rows.
* `worker_process`, `chunk_worker`: one of them, as seen from here, and what it does.
* `large_values`: models on their way to such a process.
* `process`: what all worker processes do.
* `cores`: how many processes, with how many threads each.
"""
