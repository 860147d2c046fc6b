"""Worker processes: frameworks in processes of their own, with their requests and replies."""
