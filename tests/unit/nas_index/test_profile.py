"""The South African profile: what sites write, and what it means; a site's own file; nothing seen in mere prose."""

from __future__ import annotations

import json
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest
from readingroom.errors import SettingsError
from readingroom.nas_index.header import Header
from readingroom.nas_index.profile import NONE, Profile, choose
from readingroom.nas_index.profile.names import read_names
from readingroom.nas_index.rows import NOWHERE, Region
from readingroom.nas_index.words import folded


@pytest.fixture(scope="module")
def profile() -> Profile:
    return choose("south-africa")


def header(**values: str) -> Header:
    return Header(TransferSyntaxUID="1.2.840.10008.1.2.1", **values)


@pytest.mark.parametrize(
    ("institution", "hospital", "group"),
    [
        ("NETCARE MILPARK HOSPITAL", "Netcare Milpark Hospital", "Netcare"),
        ("Milpark", "Netcare Milpark Hospital", "Netcare"),
        ("Netcare St. Augustine's", "Netcare St Augustine's Hospital", "Netcare"),
        ("ST AUGUSTINES HOSPITAL DURBAN", "Netcare St Augustine's Hospital", "Netcare"),
        ("Netcare Somewhere New", "", "Netcare"),
        ("MEDI-CLINIC PANORAMA", "Mediclinic Panorama", "Mediclinic"),
        ("Panorama Mediclinic Radiology", "Mediclinic Panorama", "Mediclinic"),
        ("Mediclinic", "", "Mediclinic"),
        ("Life Entabeni Hospital", "Life Entabeni Hospital", "Life Healthcare"),
        ("LIFE NEW PLACE", "", "Life Healthcare"),
        ("New Life Church", "", ""),
        ("Vincent Palotti", "Life Vincent Pallotti Hospital", "Life Healthcare"),
        ("Groote Schuur Hosp", "Groote Schuur Hospital", "State: Western Cape"),
        ("CHBAH", "Chris Hani Baragwanath Academic Hospital", "State: Gauteng"),
        ("Steve Biko Academic", "Steve Biko Academic Hospital", "State: Gauteng"),
        ("IALCH Radiology", "Inkosi Albert Luthuli Central Hospital", "State: KwaZulu-Natal"),
        ("Universitas Hospitaal", "Universitas Academic Hospital", "State: Free State"),
        ("Lenmed Shifa", "Lenmed Shifa Private Hospital", "Lenmed"),
        ("CLINIX SELBY PARK", "Clinix Selby Park Hospital", "Clinix"),
        ("Busamed Gateway", "Busamed Gateway Private Hospital", "Busamed"),
        ("MELOMED TOKAI", "Melomed Tokai Private Hospital", "Melomed"),
        ("Arwyp", "Arwyp Medical Centre", "National Hospital Network (NHN)"),
        ("Pelonomi Private Hospital", "Netcare Pelonomi Private Hospital", "Netcare"),
        ("Pelonomi Hospital", "Pelonomi Tertiary Hospital", "State: Free State"),
        ("Charité Berlin", "", ""),
        ("", "", ""),
    ],
)
def test_a_hospital_is_recognised_from_the_institution(
    profile: Profile, institution: str, hospital: str, group: str
) -> None:
    region = profile.recognise(header(InstitutionName=institution))
    assert (region.hospital, region.hospital_group) == (hospital, group)


@pytest.mark.parametrize(
    ("field", "said", "aid"),
    [
        ("InsurancePlanIdentification", "DISCOVERY", "Discovery Health"),
        ("InsurancePlanIdentification", "Discovery Health Medical Scheme - KeyCare Plus", "Discovery Health"),
        ("InsurancePlanIdentification", "DHMS 123456789", "Discovery Health"),
        ("InsurancePlanIdentification", "GEMS EMERALD", "GEMS"),
        ("InsurancePlanIdentification", "Government Employees Medical Scheme", "GEMS"),
        ("InsurancePlanIdentification", "MOMENTUM Ingwe", "Momentum Medical Scheme"),
        ("InsurancePlanIdentification", "Privaat", "Private (cash)"),
        ("IssuerOfPatientID", "BONITAS", "Bonitas"),
        ("IssuerOfPatientID", "Discovery", "Discovery Health"),
        ("PatientComments", "Med aid: Discovery, no 12345", "Discovery Health"),
        ("PatientComments", "MA: BON", "Bonitas"),
        ("PatientComments", "Medihelp 0001234 main member", "Medihelp"),
        ("AdditionalPatientHistory", "Scheme Sizwe; fall from ladder", "Sizwe Hosmed"),
        ("AdditionalPatientHistory", "MVA, Road Accident Fund claim", "Road Accident Fund"),
        ("PatientComments", "mediese fonds BESTMED", "Bestmed"),
        ("OtherPatientIDs", "POLMED\\8812345", "Polmed"),
        ("PatientComments", "Fed Health", "Fedhealth"),
        ("PatientComments", "PROFMED", "Profmed"),
        # Words of other meanings, in prose.
        ("AdditionalPatientHistory", "Incidental discovery of a mass", ""),
        ("PatientComments", "lost momentum in left arm", ""),
        ("PatientComments", "private room please, key handed out", ""),
        ("AdditionalPatientHistory", "fed 2 h ago", ""),
        ("InsurancePlanIdentification", "AOK Bayern", ""),
    ],
)
def test_a_medical_aid_is_recognised_where_sites_write_it(profile: Profile, field: str, said: str, aid: str) -> None:
    assert profile.recognise(header(**{field: said})).medical_aid == aid


def test_the_plans_own_field_comes_first(profile: Profile) -> None:
    said = header(InsurancePlanIdentification="Bonitas", PatientComments="was Discovery Health before")
    assert profile.recognise(said).medical_aid == "Bonitas"


def test_times_are_shown_in_johannesburg(profile: Profile) -> None:
    assert profile.timezone == "Africa/Johannesburg"
    assert "Netcare" in profile.hospital_groups
    assert len(profile.hospitals) > 250
    assert len(profile.medical_aids) > 60


def test_a_site_adds_its_own_names_and_spellings(tmp_path: Path) -> None:
    own = tmp_path / "ours.json"
    own.write_text(
        json.dumps(
            {
                "medicalAids": [{"name": "Ward Fund"}, {"name": "Bonitas", "spellings": ["Bonnie"]}],
                "hospitalGroups": [
                    {"name": "Netcare", "hospitals": [{"name": "Netcare New Place", "spellings": ["NNP"]}]},
                    {"name": "Our Group", "hospitals": [{"name": "Our Clinic"}]},
                ],
            }
        )
    )
    profile = choose("south-africa", own)
    assert profile.recognise(header(InstitutionName="nnp radiology")) == Region("", "Netcare New Place", "Netcare")
    assert profile.recognise(header(InstitutionName="OUR CLINIC")) == Region("", "Our Clinic", "Our Group")
    assert profile.recognise(header(InstitutionName="Milpark")).hospital == "Netcare Milpark Hospital"
    assert profile.recognise(header(PatientComments="bonnie 123")).medical_aid == "Bonitas"
    assert profile.recognise(header(InsurancePlanIdentification="WARD FUND")).medical_aid == "Ward Fund"
    assert profile.timezone == "Africa/Johannesburg"


@pytest.mark.parametrize(
    "content", ["", "[]", '{"timezone": "Mars/Olympus"}', '{"medicalAid": []}', '{"medicalAids": [{"name": ""}]}']
)
def test_a_file_that_does_not_fit_is_refused_by_name(tmp_path: Path, content: str) -> None:
    own = tmp_path / "ours.json"
    own.write_text(content)
    with pytest.raises(SettingsError, match="NAS_PROFILE_FILE"):
        choose("south-africa", own)


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="NAS_PROFILE_FILE"):
        choose("south-africa", tmp_path / "none.json")


def test_without_a_profile_nothing_is_recognised() -> None:
    assert choose("none") is NONE
    assert NONE.recognise(header(InstitutionName="Milpark")) == NOWHERE
    with pytest.raises(SettingsError, match="NAS_PROFILE"):
        choose("atlantis")


def test_no_spelling_in_the_profile_means_two_things() -> None:
    names = read_names((resources.files("readingroom.nas_index.profile") / "south_africa.json").read_text("utf-8"))
    aids = list(names.medical_aids)
    hospitals = [each for group in names.groups for each in group.hospitals]
    for part in (aids, hospitals):
        spelt = Counter(key for each in part for key in {folded(s) for s in (each.name, *each.spellings, *each.short)})
        assert [spelling for spelling, many in spelt.items() if many > 1] == []
