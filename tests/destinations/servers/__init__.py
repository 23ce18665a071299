"""Servers that stand in for clouds: each is started on a free port, and ended with the tests."""
