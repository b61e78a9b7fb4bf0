import time
from django.db import connection, reset_queries
from django.test.utils import CaptureQueriesContext
def test_perf(account, user):
    from crm.opening import furnish
    from crm.leads import create_lead, update_lead
    from crm.contacts import create_contact, update_contact
    from crm.models import Lead
    furnish(account)
    for name, f in {
      "lead": lambda i: create_lead(account, by=user, title=f"L{i}"),
      "lead desc": lambda i: create_lead(account, by=user, title=f"L{i}", description="Hello: x"),
      "bare lead": lambda i: Lead.objects.create(account=account, title="x", step_id=1),
      "contact": lambda i: create_contact(account, by=user, email=f"a{i}-{time.monotonic_ns()}@b.com", first_name="x"),
    }.items():
        f(0)
        with CaptureQueriesContext(connection, ) as c: row=f(1)
        if name!="bare lead":
            for q in c.captured_queries: print("   ", q["sql"][:110])
        t=time.perf_counter()
        for i in range(200): f(i)
        print(name, len(c), (time.perf_counter()-t)/200*1e3, "ms")
    with CaptureQueriesContext(connection) as c: update_contact(row, by=user, job_title="z")
    for q in c.captured_queries: print("   ", q["sql"][:110])
