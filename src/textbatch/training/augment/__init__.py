"""What training texts are augmented from."""
