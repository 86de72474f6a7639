"""textbatch inside other tools, and telling them about a run; each needs its own library."""
