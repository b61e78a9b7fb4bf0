"""Words that head columns, in English, French, German and Spanish, without accents, case or punctuation."""

from __future__ import annotations

_CONTACT = {
    "email": """
        email; mail; email address; mail address; emails; electronic mail; email 1; mail 1; email id
        courriel; adresse email; adresse mail; adresse electronique; adresse courriel
        adresse de messagerie; mel
        emailadresse; mailadresse; epost; elektronische post; e mail adresse
        correo; correo electronico; direccion de correo; direccion de correo electronico
        direccion email""",
    "first_name": """
        first name; firstname; given name; forename; fname; first; christian name
        prenom; prenoms; vorname; vornamen; rufname; nombre de pila; primer nombre; nombres""",
    "last_name": """
        last name; surname; family name; lname; last; second name
        nom de famille; nom famille; patronyme; nachname; familienname; zuname; apellido; apellidos""",
    "full_name": """
        full name; contact name; person name; display name; first and last name; contact
        contact person; person
        nom complet; nom et prenom; prenom et nom; nom prenom; prenom nom; nom du contact; personne
        interlocuteur
        vollstandiger name; vor und nachname; vorname nachname; name vorname; ansprechpartner; kontakt
        kontaktperson
        nombre completo; nombre y apellido; nombre y apellidos; contacto; persona de contacto""",
    "company": """
        company; company name; organization; organisation; organization name; account; account name
        employer
        business name; business; firm; current company; client folder
        societe; entreprise; nom de la societe; nom societe; nom entreprise; nom de l entreprise
        raison sociale
        organisme; employeur; firma; firmenname; unternehmen; unternehmensname; betrieb; gesellschaft
        arbeitgeber
        empresa; nombre de la empresa; nombre empresa; compania; razon social; organizacion
        sociedad""",
    "job_title": """
        job title; job; position; role; function; job position; occupation; job role; current position
        headline
        fonction; poste; intitule du poste; intitule de poste; titre du poste; profession; metier
        emploi
        berufsbezeichnung; stelle; funktion; jobtitel; beruf; stellenbezeichnung; rolle; tatigkeit
        cargo; puesto; puesto de trabajo; funcion; profesion; ocupacion""",
    "phone": """
        phone; telephone; phone number; telephone number; tel; phone 1; tel no; landline; office phone
        direct phone
        telephone fixe; tel fixe; numero de telephone; no de telephone; no tel; fixe; ligne directe
        telefon; telefonnummer; rufnummer; festnetz; tel nr; telefon nr; durchwahl
        telefono; numero de telefono; telefono fijo; numero telefonico; tlf; tfno""",
    "mobile": """
        mobile; mobile phone; mobile number; cell; cell phone; cellphone; cellular; mobile no
        phone mobile
        portable; telephone portable; tel portable; tel mobile; telephone mobile; gsm
        numero de portable; natel
        handy; mobiltelefon; handynummer; mobilnummer; mobil; telefon mobil
        movil; telefono movil; celular; telefono celular; numero de movil""",
    "linkedin_url": """
        linkedin; linkedin url; linkedin profile; linkedin profile url; linkedin link; linkedin page
        person linkedin
        profile url; li url; person linkedin url; linkedin address
        profil linkedin; url linkedin; lien linkedin; linkedin profil; perfil de linkedin
        perfil linkedin""",
    "location": """
        location; city; town; address; country; region; state; place; postal address; street; county
        province
        lieu; ville; adresse; pays; localite; localisation; commune; adresse postale; rue
        ort; stadt; land; anschrift; wohnort; standort; bundesland; strasse; postanschrift
        lugar; ciudad; direccion; pais; ubicacion; localidad; poblacion; provincia; calle
        direccion postal""",
    "tags": """
        tag; tags; label; labels; keyword; keywords; segment; segments; groups
        etiquette; etiquettes; libelle; libelles; mots cles; schlagwort; schlagworte; schlagworter
        stichworte
        etiqueta; etiquetas; palabras clave""",
    "notes": """
        note; notes; comment; comments; remark; remarks; memo; annotation; annotations
        commentaire; commentaires; remarque; remarques; notiz; notizen; bemerkung; bemerkungen
        kommentar; anmerkung
        nota; notas; comentario; comentarios; observaciones; observacion""",
}

_LEAD = {
    "title": """
        title; lead; lead title; lead name; deal; deal title; deal name; opportunity; opportunity name
        subject
        titre; opportunite; nom de l opportunite; nom de l affaire; affaire; intitule; objet; piste
        titel; verkaufschance; chance; opportunity titel; geschaft; betreff
        titulo; oportunidad; nombre de la oportunidad; negocio; asunto; trato""",
    "description": "description; details; lead description; descriptif; beschreibung; descripcion; detalles",
    "amount": """
        amount; value; deal value; deal amount; lead value; price; revenue; budget; total
        expected revenue
        montant; valeur; prix; ca; chiffre d affaires; betrag; wert; preis; summe; auftragswert; umsatz
        importe; valor; precio; cantidad; monto""",
    "step": """
        step; stage; pipeline stage; deal stage; lead stage; sales stage; pipeline step; phase
        etape; etape du pipeline; etape de vente; stufe; pipeline phase; verkaufsphase; vertriebsphase
        etapa; fase; etapa del pipeline; etapa de venta""",
    "status": "status; lead status; deal status; state; statut; etat; zustand; estado; estatus",
}

_COMPANY = {
    "name": f"{_CONTACT['company']}; name; nom; nombre; client; kunde; cliente",
    "domain": """
        domain; website; web site; web; url; site; company domain; homepage; company website
        domain name
        domaine; site web; site internet; nom de domaine; webseite; internetseite; domane; internet
        dominio; sitio web; pagina web; web de la empresa""",
    "description": f"""
        description; about; details; descriptif; activite; beschreibung; descripcion; detalles
        {_CONTACT["notes"]}""",
    "tags": _CONTACT["tags"],
}

# Later fields give way: in a file of leads "title" and "state" are the lead's own.
FIELD_WORDS = {
    "contacts": _CONTACT | {"job_title": f"{_CONTACT['job_title']}; title; titre; titel; titulo"},
    "leads": _LEAD | _CONTACT,
    "companies": _COMPANY,
}

# What a bare "name" means is told by the columns beside it.
BARE_NAMES = {"name", "nom", "nombre"}
GIVEN_NAME_WHERE_OTHER_IS_FAMILY = {"nombre"}

# Say whose or which, not what.
QUALIFIERS = {
    "business",
    "client",
    "cliente",
    "contact",
    "contacto",
    "contacts",
    "customer",
    "das",
    "de",
    "del",
    "der",
    "des",
    "die",
    "dienstlich",
    "du",
    "geschaftlich",
    "geschaftliche",
    "haupt",
    "kontakt",
    "kunde",
    "la",
    "le",
    "lead",
    "main",
    "obligatoire",
    "obligatorio",
    "office",
    "optional",
    "perso",
    "person",
    "personal",
    "pflichtfeld",
    "primary",
    "principal",
    "principale",
    "pro",
    "profesional",
    "professional",
    "professionnel",
    "professionnelle",
    "prospect",
    "required",
    "the",
    "trabajo",
    "work",
    "your",
}
FURTHER = {
    "2",
    "3",
    "4",
    "5",
    "additional",
    "adicional",
    "alternate",
    "alternative",
    "alternativo",
    "andere",
    "autre",
    "further",
    "home",
    "other",
    "otra",
    "otro",
    "perso",
    "personal",
    "personnel",
    "privat",
    "private",
    "prive",
    "privee",
    "second",
    "secondaire",
    "secondary",
    "secundario",
    "segundo",
    "supplementaire",
    "weitere",
    "zusatzliche",
    "zweite",
}
