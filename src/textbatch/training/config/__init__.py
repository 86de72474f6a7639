"""What each training command is asked to do."""
