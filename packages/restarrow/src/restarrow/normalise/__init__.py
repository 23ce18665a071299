"""Rows in, Arrow tables out: parents and children, exactly as dlt's normaliser makes them."""

from restarrow.normalise.normaliser import Batch, Column, Normaliser, Options, Raws

__all__ = ["Batch", "Column", "Normaliser", "Options", "Raws"]
