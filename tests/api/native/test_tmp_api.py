import orjson, pytest
from tests.factories import *
def test_x(native, account, django_assert_max_num_queries):
    c = ContactFactory(account=account, company=CompanyFactory(account=account))
    with django_assert_max_num_queries(7):
        r = native.get("/api/contacts?limit=1&include=total&order=-updated_at")
    print(r.content, r.headers)
    r = native.post("/api/contacts", {"email":"a@b.com","company":"Acme","tags":["x"]}, format="json")
    print(r.content)
    r = native.post("/api/contacts", {"email":"a@b.com","compny":"Acme","tags":["x"]}, format="json")
    print(r.content)
    r = native.post("/api/contacts", {"email":"a@b.com"}, format="json")
    print(r.status_code, r.content)
    r = native.post("/api/contacts", b'{"a":', content_type="application/json")
    print(r.status_code, r.content)
    for u in ("/api/contacts/", f"/api/contacts/{c.uid}", "/api/contacts/zz", "/api/nope", "/api/contacts?search=grace", "/api/contacts?email=a@b.com&x=1", "/api/contacts?status=active,bounced&tag=X"):
        r = native.get(u); print(r.status_code, r.content)
    r = native.patch(f"/api/contacts/{c.uid}", {"first_name":"Z"}, format="json"); print(r.status_code, r.content)
    for i in range(2):
        r = native.post("/api/contacts", {"email":"a2@b.com"}, format="json", headers={"Idempotency-Key": "abc"}); print(r.status_code, r.content, r.headers)
    r = native.delete(f"/api/contacts/{c.uid}"); print(r.status_code, r.content)
    r = native.put(f"/api/contacts", {}); print(r.status_code, r.content, r.headers)
    r = native.get(f"/api/openapi.json"); print(r.status_code, len(r.content)); open("/tmp/o.json","wb").write(r.content)
    r = native.get(f"/api/docs"); print(r.status_code, r.content[:3000])
