"""Separators and quotes of a delimited text, and the lines that rows begin in."""

import pytest

from pipeline.core.errors import DataError
from tests.helpers.tables import cells, read


def test_lines_are_those_of_the_file():
    table = read('\na,b\n1,"one\ntwo"\n\n2,x\n')
    assert table.lines.tolist() == [3, 6]


QUOTES = "".join(f"{i / 10},{i},ok\n" for i in range(5, 20))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (
            f'crp,age,note\n0.1,1,ok\n0.2,2,"6 inch\n{QUOTES}',
            "line 3: a quote opens before '6 inch' and is never closed",
        ),
        (f'crp,age,note\n0.1,1,"a\nb"\n0.2,2,"6 inch\n{QUOTES}', "line 4: a quote opens"),
        (
            f'crp,age,note\n{QUOTES}0.2,2,"6 inch\n0.3,3,ok\n0.4,4,12"\n{QUOTES}',
            "line 17: a quote opens in column 'note' and",
        ),
        (f'crp,age,note\n{QUOTES}0.2,2,"6 inch\n0.3,3,"7 inch\n{QUOTES}', "line 17: a quote opens in column 'note'"),
        (f'crp,note,age\n{QUOTES.replace("ok", "x")}1,"6 inch,2\n1,"a, b",3\n', "line 17"),
        ('a,b\n"1,2\n3,4\n', "line 2: a quote opens before '1,2' and is never closed"),
        ('a,b\n1,"' + "x\n" * 100_000, "a quote that opens in line 2 is not closed within 131,072 characters"),
    ],
)
def test_an_unclosed_quote_is_an_error_with_its_line(data, text):
    with pytest.raises(DataError, match=rf"t.csv: .*{text}"):
        read(data)


def test_cells_of_several_lines_are_kept_whole():
    data = "age,note\n" + "".join(f'{i},"first, line\nsecond, line"\n' for i in range(20))
    assert read(data).table["note"].tolist() == ["first, line\nsecond, line"] * 20


@pytest.mark.parametrize(
    "data",
    [
        "a,b\n1,x\n2,y\n",
        "a,b\n1,x\n2,y",
        "a,b\r\n1,x\r\n2,y\r\n",
        "a,b\r1,x\r2,y\r",
        b"\xef\xbb\xbfa,b\n1,x\n2,y\n",
        "a;b\n1;x\n2;y\n",
        "a\tb\n1\tx\n2\ty\n",
        "a|b\n1|x\n2|y\n",
        " a , b \n 1 ,x \n2, y\n",
        "\n\na;b\n\n1;x\n;\n2;y\n\n",
        '"a","b"\n"1","x"\n"2","y"\n',
    ],
    ids=[
        "plain",
        "no last line end",
        "Windows",
        "old Mac",
        "BOM",
        "semicolon",
        "tab",
        "bar",
        "spaces",
        "blank",
        "quoted",
    ],
)
def test_a_table_reads_alike_however_a_program_wrote_it(data):
    assert cells(data) == [["a", "b"], ["1", "x"], ["2", "y"]]


def test_a_separator_in_a_quoted_name_does_not_count():
    assert cells('"Age, in years";"Sex"\n60;f\n') == [["Age, in years", "Sex"], ["60", "f"]]


def test_a_separator_in_a_quoted_cell_does_not_part_it():
    assert cells('a,b\n"1,5","say ""x"""\n')[1] == ["1,5", 'say "x"']


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_quoted_line_end_belongs_to_its_cell(line_end):
    assert cells(f'a,b\n"one{line_end}two",x\n')[1] == ["one\ntwo", "x"]


def test_headers_and_cells_in_any_script_are_kept():
    assert cells("年齢,אבחנה\n六十,שפיר 😀\n") == [["年齢", "אבחנה"], ["六十", "שפיר 😀"]]


def test_marks_of_joined_files_are_no_part_of_cells():
    table = read("age,outcome\n1,ill\n2,\ufeffill\n".encode()).table
    assert set(table["outcome"]) == {"ill"}
