"""Names that mean a patient or a lesion are read in any spelling, others are not."""

import pandas as pd
import pytest

from pipeline.data.columns.group_names import find_named, is_id_name, read_name

PATIENTS = """patient|Patient ID|patient_nbr|PatientNo.|MRN|PID|PTID|RID|EID|NHS number|hospital number|Hospital No|chart no
participant_id|Subject|subjectkey|person_id|id_patient|anon_patient_id|USUBJID|hadm_id|medical record number|Patient Name|sid
patients|subject-number|PATIENTID|Patienten-Nr.|Versuchsperson|numéro de dossier|ID del paciente|nº historia|codice paziente
Pasient_ID|hasta_no|potilas|ID пациента|病人编号|患者ID|환자번호|رقم المريض|αριθμός ασθενούς|src_subject_id|AHV-Nr"""


@pytest.mark.parametrize("name", PATIENTS.replace("\n", "|").split("|"))
def test_names_of_patients_are_read_in_any_spelling(name):
    named = read_name(name)
    assert named
    assert (named.level, named.certain) == (0, True)


@pytest.mark.parametrize("name", ["lesion_id", "Case No", "studyinstanceuid", "accession_number", "slide id"])
def test_names_of_lesions_come_behind_those_of_patients(name):
    assert read_name(name).level == 1


@pytest.mark.parametrize(
    "name",
    ["site", "age", "hospital", "patient age", "patient sex", "stage", "eye", "stage_group", "x1", "personality",
     "n_patients", "hasta", "falls", "length of stay", "stay", "new patient", "study site no",
     "case_fatality", "subjective pain", "ridge", "casein", "number of lesions", "lesion size", "study site"],
)  # fmt: skip
def test_names_of_features_name_no_group(name):
    assert read_name(name) is None


def columns(**values: list) -> list[str]:
    return [item.column for item in find_named(pd.DataFrame(values).astype(str))]


def test_few_patients_are_a_group_and_two_arms_are_not():
    patients = [f"p{i // 12}" for i in range(96)]
    assert columns(group=["A", "B"] * 48, patient_id=patients) == ["patient_id"]


def test_the_patient_comes_before_the_lesion_and_the_household():
    n = range(96)
    result = columns(household=[i // 3 for i in n], lesion_id=[i // 2 for i in n], patient=[i // 4 for i in n])
    assert result == ["patient", "lesion_id", "household"]


def test_values_that_do_not_repeat_are_no_groups():
    assert columns(patient_id=list(range(50)), mrn=["", *range(49)]) == []


@pytest.mark.parametrize("name", ["id", "Unnamed: 0", "index", "row_no", "S.No", "SEQN", "encounter_id", "patient"])
def test_names_of_running_numbers_are_known(name):
    assert is_id_name(name)


@pytest.mark.parametrize("name", ["age", "width", "idh1", "n_nodes", "serology"])
def test_names_of_features_are_no_running_numbers(name):
    assert not is_id_name(name)


def test_numbers_that_come_back_in_another_spelling_are_a_group():
    assert columns(patient_id=["P001", "p-002", "P-1", "P 2", "P03", "p3"]) == ["patient_id"]
    assert columns(patient_id=["P1", "P2", "P10", "P-11", "P21", "P-100"]) == []


def test_yes_and_no_and_the_number_of_a_hospital_are_no_patients():
    assert columns(PID=["yes", "no", "unsure"] * 40) == []
    assert columns(hospital_id=[1, 2, 3, 4] * 30) == []
    assert columns(hospital_id=[i // 3 for i in range(120)]) == ["hospital_id"]


def test_a_measurement_named_like_an_id_is_no_group():
    assert find_named(pd.DataFrame({"record": [f"{k % 50}.{k % 7 + 1}" for k in range(100)]})) == []
