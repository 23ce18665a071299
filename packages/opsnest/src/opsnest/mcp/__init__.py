"""What a code assistant may see of the pipelines, over MCP: read-only, without files or secrets.

- `opsnest.mcp.server`: the tools.
- `opsnest.mcp.pipelines`: the pipelines of a folder, read from dlt's own records.
- `opsnest.mcp.queries`: which queries are let through; `opsnest.mcp.vocabulary` is what they may be
  made of.
- `opsnest.mcp.reading`: running one, in a process of its own (`opsnest.mcp.worker`) that has no
  environment, little memory and little time.

A query passes three gates: the parsed statement may have nothing but what is known to be harmless;
the database parses it again by itself; and the connection can neither write nor open files.
"""
