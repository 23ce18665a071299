"""What `opsnest ai init` writes for a code assistant: rules, ignored files, and the MCP server.

- `opsnest.agents.files`: which files each assistant has, and what belongs into them.
- `opsnest.agents.merging`: how that comes together with what is there.
- `opsnest.agents.writing`: looking at a folder, and writing.
"""
