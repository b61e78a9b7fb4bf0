from __future__ import annotations

from django.db import models

from crm.importing.values import clean_email, email_key, phone_key, word_key
from crm.models.comment import Comment
from crm.models.field import Field
from crm.models.lead import Lead
from pipelime.scope import AccountQuerySet

PHONES = (Field.Meaning.PHONE, Field.Meaning.MOBILE, Field.Meaning.FAX)


class LeadKeyQuerySet(AccountQuerySet):
    def addresses(self):
        return self.filter(field=None)

    def address(self, text: str):
        return self.addresses().filter(value_key=email_key(text.strip()))

    def value(self, field_name: str, value: str):
        """What a key field of this name says, in any spelling."""
        key_fields = Field.objects.filter(kind=Field.Kind.LEAD, is_key=True)
        same = [field for field in key_fields if word_key(field.name) == word_key(field_name)]
        if not same:
            return self.none()
        return self.filter(field__in=same, value_key__in={LeadKey.key_of(field, value) for field in same})


class LeadKey(models.Model):
    """What a lead's texts say that finds it: an e-mail address (`field` is null), or a key field's value.

    Derived from the description, or from `comment`, and written anew when that text changes.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="+")
    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="keys")
    comment = models.ForeignKey(Comment, null=True, on_delete=models.CASCADE, related_name="keys")
    field = models.ForeignKey(Field, null=True, on_delete=models.CASCADE, related_name="+")
    value = models.CharField(max_length=254)  # as typed
    value_key = models.CharField(max_length=254)

    objects = LeadKeyQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["account", "value_key", "field", "lead"], name="lead_key_value")]

    def __str__(self):
        return self.value

    @staticmethod
    def key_of(field: Field, value: str) -> str:
        """Two spellings of one value: a number by its digits, an address as mail takes it."""
        is_phone = field.type == Field.Type.PHONE or field.meaning in PHONES
        if is_phone and (digits := phone_key(value)):
            return digits[:254]
        if Field.Type.EMAIL in (field.type, field.meaning):
            try:
                return email_key(clean_email(value))
            except ValueError:
                pass
        return word_key(value)[:254]
