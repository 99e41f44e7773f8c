"""Conversions in processes of their own."""
