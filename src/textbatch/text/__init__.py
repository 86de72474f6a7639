"""From text to token ids. Pure: numpy and pyarrow.compute only."""
