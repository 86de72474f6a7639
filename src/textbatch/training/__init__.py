"""Training: train → split → fit → augment → assemble → save; tune, audit, vectors."""
