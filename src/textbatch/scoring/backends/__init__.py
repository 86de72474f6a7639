"""Who scores the tasks of a job: this process, or several on this machine.

* `port`: what a job asks of a backend.
* `here`: this process, one task after the other.
* `local`: processes on this machine.
* `worker`: what such a process does.
* `told`: how far the workers are.
* `cores`: how many processes, with how many threads each.
"""
