"""Load operations platforms into your own database, and act on them."""
