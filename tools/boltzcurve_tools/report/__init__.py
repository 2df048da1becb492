"""One self-contained page of HTML for a run or a sweep."""
