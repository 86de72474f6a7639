"""textbatch inside other tools, and reports of a run to them. Each module needs its own library.

* `airflow`: an operator that runs `textbatch score`.
* `openlineage`: sends events about a run.
* `prometheus`: writes metrics of a run.
"""
