"""Files in, files out: the only room that knows pyarrow's and pandas' readers and writers."""
