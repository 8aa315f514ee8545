"""The versions by which a change of an installed class is noticed."""

from importlib.metadata import version

from pipeline.core.installed_class import is_class_name, versions


def test_a_colon_makes_the_name_of_a_class():
    assert is_class_name("sklearn.svm:SVC")
    assert not is_class_name("logreg")


def test_an_installed_package_has_its_version():
    assert versions("sklearn.svm:SVC") == {"scikit-learn": version("scikit-learn")}


def test_a_package_that_is_not_there_has_none():
    assert versions("nosuchpackage.a:B") == {}
    assert versions("../x:B") == {}


def test_a_file_or_folder_has_the_hash_of_its_code(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "single_file.py").write_text("A = 1")
    (tmp_path / "whole_folder").mkdir()
    (tmp_path / "whole_folder/__init__.py").write_text("")
    (tmp_path / "whole_folder/part.py").write_text("A = 1")
    before = versions("single_file:A") | versions("whole_folder.part:A")
    assert set(before) == {"single_file", "whole_folder"}
    (tmp_path / "single_file.py").write_text("A = 2")
    (tmp_path / "whole_folder/part.py").write_text("A = 2")
    after = versions("single_file:A") | versions("whole_folder.part:A")
    assert all(after[name] != before[name] for name in before)
