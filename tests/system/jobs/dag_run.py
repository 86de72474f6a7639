"""Run a DAG to its end, in Airflow's own environment, and tell what became of it.

python dag_run.py DAG_FILE DAG_ID RESULT
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag
from airflow.models.asset import AssetEvent
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from sqlalchemy import select

NIGHT = datetime(2026, 11, 24, 2, 15, tzinfo=UTC)


def main(dag_file: str, dag_id: str, result: Path) -> None:
    bag = DagBag(dag_file)
    assert not bag.import_errors, bag.import_errors
    run = bag.dags[dag_id].test(logical_date=NIGHT)
    with create_session() as session:
        tasks = run.get_task_instances(session=session)
        values = session.scalars(select(XComModel).where(XComModel.key == "return_value"))
        events = session.scalars(select(AssetEvent))
        found = {
            "state": str(run.state),
            "tries": max(task.try_number for task in tasks),
            "tried": sorted([task.task_id, task.map_index, task.try_number] for task in tasks),
            "pool": tasks[0].pool,
            "reports": [XComModel.deserialize_value(value) for value in values],
            "events": [{"uri": event.asset.uri, "extra": event.extra} for event in events],
        }
    result.write_text(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
