"""The app's pages, each a function `show(task)`."""
