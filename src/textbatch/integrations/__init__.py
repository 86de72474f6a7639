"""textbatch inside other tools; each file needs its tool, so nothing here imports another."""
