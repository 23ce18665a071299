"""What stands between dlt and a server that is not the service itself: what is rewritten, and why.

The statements that dlt hands to a driver are kept as they were before any of that.
"""
