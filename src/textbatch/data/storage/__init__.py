"""Where files stand: this machine or an object store."""
