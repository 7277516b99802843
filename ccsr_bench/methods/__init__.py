"""Super-resolution methods: what they are (`manifest`), where they are (`registry`), how they run (`in_process`)."""
