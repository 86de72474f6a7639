"""Fitting the network."""
