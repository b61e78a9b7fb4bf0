import pytest

from crm.importing.headers import propose, squeezed


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        (
            "E-mail Address,First Name,Last Name,Company,Job Title,Phone,Mobile,City,Tags,Notes,LinkedIn URL",
            "email,first_name,last_name,company,job_title,phone,mobile,location,tags,notes,linkedin_url",
        ),
        (
            "Courriel,Prénom,Nom de famille,Société,Fonction,Téléphone,Portable,Ville,Étiquettes,Remarques",
            "email,first_name,last_name,company,job_title,phone,mobile,location,tags,notes",
        ),
        (
            "E-Mail-Adresse,Vorname,Nachname,Firma,Berufsbezeichnung,Telefon,Handy,Straße,Schlagwörter,Bemerkungen",
            "email,first_name,last_name,company,job_title,phone,mobile,location,tags,notes",
        ),
        (
            "Correo electrónico,Nombre,Apellidos,Empresa,Cargo,Teléfono,Móvil,Ciudad,Etiquetas,Observaciones",
            "email,first_name,last_name,company,job_title,phone,mobile,location,tags,notes",
        ),
    ],
    ids=["english", "french", "german", "spanish"],
)
def test_the_words_of_four_languages_are_known(headers, fields):
    proposal = propose(headers.split(","))

    assert list(proposal.values()) == fields.split(",")


@pytest.mark.parametrize(
    "header", ["EMAIL", "e-mail", " E_Mail ", "Émail", "eMail", "Email:", "Work email", "email*"]
)
def test_case_accents_punctuation_and_whose_it_is_do_not_matter(header):
    assert propose([header]) == {header: "email"}


def test_camel_case_is_words():
    assert squeezed("firstName") == squeezed("First name") == "firstname"
    assert propose(["companyName", "linkedinUrl"]) == {
        "companyName": "company",
        "linkedinUrl": "linkedin_url",
    }


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        (["Prénom", "Nom"], ["first_name", "last_name"]),
        (["Name", "Vorname"], ["last_name", "first_name"]),
        (["Apellidos", "Nombre"], ["last_name", "first_name"]),
        (["Nom", "Email"], ["full_name", "email"]),
        (["Nombre"], ["full_name"]),
    ],
)
def test_a_bare_name_means_what_its_neighbours_leave(headers, fields):
    assert list(propose(headers).values()) == fields


def test_further_addresses_are_kept_apart_from_the_first():
    proposal = propose(["Email 2", "Email", "Personal email", "Work email"])

    assert proposal == {
        "Email 2": "email_2",
        "Email": "email",
        "Personal email": "email_2",
        "Work email": "email_2",
    }


def test_a_field_is_proposed_once_unless_it_may_repeat():
    proposal = propose(["Phone", "Telephone", "City", "Country"])

    assert proposal == {"Phone": "phone", "Telephone": None, "City": "location", "Country": "location"}


def test_unknown_words_are_nothing():
    assert propose(["Score", "E-mail opened", "", "Column 4"]) == {
        "Score": None,
        "E-mail opened": None,
        "": None,
        "Column 4": None,
    }


def test_custom_fields_are_known_by_key_and_label_after_our_own():
    proposal = propose(
        ["Taille", "vip_level", "Phone"], {"size": "TAILLE", "vip_level": "Level", "p": "Phone"}
    )

    assert proposal == {"Taille": "custom.size", "vip_level": "custom.vip_level", "Phone": "phone"}


def test_a_column_of_addresses_or_profiles_is_known_by_its_cells():
    rows = [
        ["a@example.com", "https://www.linkedin.com/in/ann", "12"],
        ["b@example.com", "", "13"],
        ["unknown", "linkedin.com/in/bob", "14"],
    ]

    proposal = propose(["Kontaktdaten", "Web", "Zahl"], rows=rows)

    assert proposal == {"Kontaktdaten": "email", "Web": "linkedin_url", "Zahl": None}


def test_cells_do_not_overrule_a_known_header():
    proposal = propose(["Notes", "Email"], rows=[["a@example.com", "b@example.com"]])

    assert proposal == {"Notes": "notes", "Email": "email"}


def test_a_lead_has_a_title_of_its_own():
    headers = ["Title", "Description", "Montant", "Étape", "Status", "Name", "Email"]

    proposal = propose(headers, kind="leads")

    assert list(proposal.values()) == [
        "title",
        "description",
        "amount",
        "step",
        "status",
        "full_name",
        "email",
    ]


def test_the_name_of_a_lead_is_its_title_when_nothing_else_is():
    assert propose(["Name", "Amount"], kind="leads") == {"Name": "title", "Amount": "amount"}


def test_a_company_has_a_name_a_domain_and_a_description():
    proposal = propose(["Nom", "Site web", "Notes", "Phone"], kind="companies")

    assert proposal == {"Nom": "name", "Site web": "domain", "Notes": "description", "Phone": None}


def test_addresses_in_a_file_of_companies_are_no_field():
    proposal = propose(["Name", "Office"], kind="companies", rows=[["Acme", "info@acme.com"]])

    assert proposal == {"Name": "name", "Office": None}


def test_a_title_is_a_job_for_a_contact():
    assert propose(["Title"]) == {"Title": "job_title"}
