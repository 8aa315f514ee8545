"""From a table's file to cells, and from cells to values: formats of files, missing values, numbers, dates, categories.

Start with `files.read_table`, which turns the bytes of a CSV, Excel, Parquet or ARFF file into a table of text: `wrappings`
unpacks it, `encoding` finds how it is encoded, `text` and `regular` split it into `cells`, `header` names the columns,
`typed_files` reads the other formats. Then `learning.learn` infers from whole columns how cells are written (`numbers`, `signs`
and `dates`, as a `formats.ColumnFormat`). `missing` holds the one list of words for "no value".

At prediction `file_rows` reads the rows of a file, and `values` finds the number or category that a cell means. `data.tables`
turns the result into features.

Must not change: what a file that is read today gives, cell by cell: row ids are hashes of the cells.
"""
