"""The groups of methods, a module for each noun of the API."""
