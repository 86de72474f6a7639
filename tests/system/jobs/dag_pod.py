"""Import a folder of DAGs in Airflow's own environment; tell of them and of one's pod.

python dag_pod.py FOLDER RESULT
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag
from kubernetes.client import ApiClient


def main(folder: str, result: Path) -> None:
    bag = DagBag(folder)
    pod = bag.dags["textbatch_kubernetes"].task_dict["score"].build_pod_request_obj()
    container = bag.dags["textbatch_docker"].task_dict["score"]
    found = {
        "errors": bag.import_errors,
        "dags": sorted(bag.dags),
        "pod": ApiClient().sanitize_for_serialization(pod),
        "container": {"image": container.image, "command": container.command},
    }
    result.write_text(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
