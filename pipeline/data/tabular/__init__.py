"""From a table's file to cells, and from cells to values: formats of files, missing values, numbers, dates, categories.

Start with `files.read_table`, which turns the bytes of a CSV, Excel, Parquet or ARFF file into a table of text, and
`formats.learn`, which tells over a whole column how its cells are written (decimal sign, unit, ranges, dates).
`missing` holds the one list of words for "no value"; `values` finds the number or category that a cell means at prediction.
`data.tables` turns the result into features.

May not change: what a file that is read today gives, cell by cell: row ids are hashes of the cells.
"""
