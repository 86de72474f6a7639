"""Many files: one job each, one model, one ledger."""
