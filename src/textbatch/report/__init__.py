"""What a run says: its report, its progress, its tables."""
