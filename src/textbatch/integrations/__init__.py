"""textbatch inside other tools, and reports of a run to them. Each module needs its own library.

* `airflow`: an operator that runs `textbatch score`.
* `dask`: scores a DataFrame of Dask.
* `mlflow`: loads an exported model in MLflow.
* `openlineage`: sends events about a run.
* `prometheus`: writes metrics of a run.
* `ray`: scores a Dataset of Ray.
* `spark`: scores a DataFrame of Spark.
"""
