"""Scoring: score → job (open and check) → read, predict, write → commit; folders; evaluate."""
