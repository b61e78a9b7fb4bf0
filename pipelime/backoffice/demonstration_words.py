"""The words of the demo account. Nobody in it exists; all addresses end in names that no mail reaches."""

COMPANIES = [
    (name, f"{domain}.example", city)
    for name, domain, city in (
        ("Nordlicht Logistik", "nordlicht", "Hamburg"),
        ("Atelier Moreau", "atelier-moreau", "Lyon"),
        ("Harbour & Vale", "harbourvale", "Bristol"),
        ("Tallinn Data Works", "tallinndata", "Tallinn"),
        ("Casa Verde Foods", "casaverde", "Valencia"),
        ("Kowalczyk Metal", "kowalczyk-metal", "Poznań"),
        ("Sakura Components", "sakura-components", "Osaka"),
        ("Blue Fjord Energy", "bluefjord", "Bergen"),
        ("Okonkwo Textiles", "okonkwo", "Lagos"),
        ("Maple Ridge Clinics", "mapleridge", "Toronto"),
        ("Rossi Macchine", "rossi-macchine", "Bologna"),
        ("Lindqvist Design", "lindqvist", "Malmö"),
        ("Anand Analytics", "anandanalytics", "Pune"),
        ("Porto Cork Company", "portocork", "Porto"),
        ("Vltava Software", "vltava", "Praha"),
        ("Redwood Outdoor", "redwoodoutdoor", "Portland"),
        ("Van Dijk Bloemen", "vandijkbloemen", "Aalsmeer"),
        ("Aegean Shipping", "aegeanshipping", "Piraeus"),
        ("Helvetia Präzision", "helvetia-praezision", "Winterthur"),
        ("Cordoba Winery", "cordobawinery", "Mendoza"),
    )
]
PEOPLE = [
    ("Ingrid", "Sørensen"), ("Mateo", "García"), ("Aiko", "Tanaka"), ("Chidi", "Okonkwo"),
    ("Claire", "Moreau"), ("Piotr", "Kowalczyk"), ("Emma", "Lindqvist"), ("Rahul", "Anand"),
    ("Sofia", "Rossi"), ("Jonas", "Weber"), ("Zoë", "van Dijk"), ("Kostas", "Papadakis"),
    ("Beatriz", "Almeida"), ("Tomáš", "Novák"), ("Maren", "Haug"), ("Lucía", "Fernández"),
    ("Noah", "Tremblay"), ("Yuki", "Sato"), ("Amara", "Nwosu"), ("Étienne", "Lefèvre"),
    ("Katarzyna", "Wiśniewska"), ("Oskar", "Nilsson"), ("Priya", "Raman"), ("Marco", "Bianchi"),
    ("Hannah", "Schäfer"), ("Bram", "de Vries"), ("Eleni", "Nikolaou"), ("João", "Ferreira"),
    ("Adéla", "Svobodová"), ("Lars", "Eriksen"), ("Carmen", "Ortega"), ("Olivia", "Bennett"),
    ("Kenji", "Watanabe"), ("Ngozi", "Eze"), ("Camille", "Roux"), ("Marek", "Zieliński"),
    ("Astrid", "Holm"), ("Vikram", "Desai"), ("Giulia", "Conti"), ("Felix", "Brandt"), ("Sanne", "Bakker"),
    ("Dimitra", "Georgiou"), ("Tiago", "Costa"), ("Jakub", "Dvořák"), ("Solveig", "Dahl"),
    ("Álvaro", "Molina"), ("Grace", "Whitfield"), ("Haruto", "Mori"), ("Ifeoma", "Obi"),
    ("Hélène", "Girard"),
]  # fmt: skip
JOBS = [
    "Head of Operations", "Managing Director", "Purchasing Manager", "Chief Financial Officer",
    "Sales Director",
    "Office Manager", "Head of Logistics", "Product Lead", "Founder", "Marketing Manager", "IT Manager",
]  # fmt: skip
TAGS = ["spring fair", "newsletter", "partner", "warm", "manufacturing", "services"]
NEEDS = [
    "scheduling for two sites", "stock planning", "yearly licence", "pilot in one warehouse",
    "data migration",
    "training for the team", "support contract", "rollout to branches",
]  # fmt: skip
COMMENTS = [
    "Called: the budget is approved, they want a start in the new quarter.",
    "Met at the fair. Interested in the pilot, asks for two references.",
    "Prefers mail. Waiting for the answer of their IT.",
    "Compares us with one other supplier; price is not the first question.",
]
SIGNED = "\n\nBest wishes\n{{ sender.name }}"
INVITATION = {
    "subject": "A morning on planning, {{ first_name }}?",
    "body": "Hello {{ first_name }},\n\nin March we open our workshop for a morning: three companies "
    "show how they plan "
    "their week, with coffee and without slides. I would be glad to see somebody of {{ company }} there.\n\n"
    "Shall I keep a place for you?" + SIGNED,
}
FIRST_MAIL = (
    "Hello {{ first_name }},\n\nmost operations teams we meet spend their Monday moving last week's plan "
    "into this week's. We take that work away; it takes a day to try.\n\nWould a short call make sense?"
    + SIGNED
)
SEQUENCE = [
    {
        "variants": [
            {"weight": 1, "subject": "{{ company }} and the Monday plan", "body": FIRST_MAIL},
            {"weight": 1, "subject": "{{ first_name }}, how long is your Monday?", "body": FIRST_MAIL},
        ],
    },
    {
        "channel": "linkedin_invitation",
        "delay": {"business_days": 1},
        "body": "Hello {{ first_name }}, I wrote to you about planning at {{ company }}. Glad to connect.",
    },
    {
        "channel": "call",
        "delay": {"business_days": 1},
        "subject": "Ask how they plan their week",
        "body": "Who makes the plan at {{ company }}, and what becomes of it by Wednesday?",
    },
    {
        "delay": {"business_days": 2},
        "subject": "",
        "body": "Hello {{ first_name }},\n\none thing I forgot: you may try it with a copy of your own "
        "data, and nothing of it leaves {{ company }}.\n\nTell me if it is not for you, and I will not write "
        "again." + SIGNED,
    },
]
OUR_ANSWER = "Hello,\n\nTuesday at ten is fine. I will call you then.\n\nBest wishes\nLena"
OFFER = {
    "name": "After a call",
    "subject": "{{ company }}: what we talked about",
    "body": "Hello {{ first_name }},\n\nthank you for your time. You asked about {{ lead.title }}; "
    "the offer follows tomorrow.\n\nBest wishes\n{{ user.name }}",
}
ONBOARDING = ("Send the welcome letter", "Agree on a day for the training", "Ask how the first week went")
INDUSTRIES = ("Food", "Machines", "Logistics")
FAIR = [
    ["Company", "Firstname", "Lastname", "Email", "Phone"],
    ["Harbour Bakery", "Ines", "Maier", "ines.maier@harbourbakery.example", "+44 20 7946 0301"],
    ["Tollgate Tools", "Piotr", "Zielinski", "piotr@tollgatetools.example", "+44 20 7946 0302"],
    ["Alder & Sons", "Grace", "Alder", "grace@alderandsons.example", ""],
    ["Quayside Freight", "Samir", "Haddad", "s.haddad@quayside.example", "+44 20 7946 0304"],
    ["Redfern Dairy", "Molly", "Redfern", "molly@redfern.example", "+44 20 7946 0305"],
    ["Copperline Print", "Jonas", "Weiss", "", "+44 20 7946 0306"],
]

# (subject, what they answer), day by day: what they mean by it is guessed.
ANSWERS = [
    ("Re: The Monday plan",
     "Hello Lena,\n\nsounds interesting. Please send me some more information.\n\nBest regards"),
    ("Re: The Monday plan", "Hi Lena, can we meet on Tuesday? Ten o'clock works for me."),
    ("AW: The Monday plan",
     "Guten Tag,\n\nim Moment haben wir leider keinen Bedarf. Melden Sie sich gerne im Herbst wieder."),
    ("Re: The Monday plan",
     "I am not the right person for this. Please write to our head of operations."),
    ("Re: The Monday plan", "Thanks, but we are not interested."),
    ("Re: The Monday plan", "Who gave you my address?"),
]  # fmt: skip
