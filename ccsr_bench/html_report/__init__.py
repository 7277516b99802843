"""Report: a folder that a browser opens from disk, with tables, plots and every picture (`build` makes it)."""
