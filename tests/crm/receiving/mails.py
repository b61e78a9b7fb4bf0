"""Mails for tests: an ordinary one to begin with, and a cabinet of nasty ones."""

from __future__ import annotations

import base64
from email.message import EmailMessage

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 40


def mail(
    to: str,
    *,
    subject: str = "Loretta wants an offer",
    sender: str = "Lea Long <lea@example.org>",
    text: str = "Please call me.",
    files: dict[str, bytes] | None = None,
    html: str = "",
    **headers: str,
) -> bytes:
    """`To`, `Cc` and other headers by name; underscores stand for hyphens."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    for name, content in (files or {}).items():
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def raw(*lines: bytes) -> bytes:
    return b"\r\n".join(lines)


HEAD = raw(b"From: Lea <lea@example.org>", b"Subject: Nasty", b"Message-ID: <1@example.org>")
ENCODED = base64.b64encode(b"PDF bytes")


def with_head(*lines: bytes) -> bytes:
    return HEAD + b"\r\n" + raw(*lines)


def parts(*contents: bytes, kind: bytes = b"mixed") -> bytes:
    head = b"Content-Type: multipart/%s; boundary=cut" % kind
    inner = b"".join(b"--cut\r\n" + content + b"\r\n" for content in contents)
    return with_head(b"MIME-Version: 1.0", head, b"", inner + b"--cut--")


def nested(levels: int) -> bytes:
    heads = (
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
        for level in range(levels)
    )
    return HEAD + b"\r\n" + b"".join(heads) + b"\r\nThe bottom\r\n"


NASTY: dict[str, bytes] = {
    "nothing but a line": b"hello",
    "nothing but headers": HEAD,
    "no header at all": b"\r\n\r\nonly a body",
    "a broken charset": with_head(b"Content-Type: text/plain; charset=klingon", b"", "Grüße".encode()),
    "a charset that is no text": with_head(b"Content-Type: text/plain; charset=hex", b"", b"zz"),
    "a quadratic charset": with_head(b"Content-Type: text/plain; charset=punycode", b"", b"a-b" * 20_000),
    "a charset with NUL": with_head(b'Content-Type: text/plain; charset="x\0\xff"', b"", b"text"),
    "bytes of no charset": with_head(b"", bytes(range(256))),
    "NULs everywhere": HEAD.replace(b"Nasty", b"Na\0sty") + b"\r\n\r\n\0\0text\0",
    "bare carriage returns": HEAD.replace(b"\r\n", b"\r") + b"\r\rtext",
    "ten thousand headers": HEAD + b"\r\n" + b"X-More: and more\r\n" * 10_000 + b"\r\ntext",
    "one endless header": HEAD + b"\r\nX-Long: " + b"a" * 500_000 + b"\r\n\r\ntext",
    "a header folded for ever": HEAD + b"\r\nX-Fold: a\r\n" + b" b\r\n" * 20_000 + b"\r\ntext",
    "endless parameters": with_head(b"Content-Type: text/plain; " + b"a;" * 200_000, b"", b"text"),
    "a header in the subject": HEAD.replace(b"Nasty", b"=?utf-8?q?Nasty=0D=0ABcc=3A_x=40example=2Ecom?=")
    + b"\r\n\r\ntext",
    "encoded words of garbage": HEAD.replace(b"Nasty", b"=?utf-8?b?!!!?= =?x?q?=ZZ?= =?utf-8?q?")
    + b"\r\n\r\ntext",
    "many halves of encoded words": HEAD.replace(b"Nasty", b"=?utf-8?q?" * 20_000) + b"\r\n\r\ntext",
    "a subject from right to left": HEAD.replace(b"Nasty", "\u202egnp.exe \u2066x\u2069".encode())
    + b"\r\n\r\ntext",
    "a sender of comments": HEAD.replace(b"Lea <lea", b"(" * 50_000 + b" <lea") + b"\r\n\r\ntext",
    "a sender of groups": HEAD.replace(b"Lea <lea", b"a:" * 10_000 + b" <lea") + b"\r\n\r\ntext",
    "thousands of recipients": HEAD + b"\r\nTo: " + b"x@example.com," * 20_000 + b"\r\n\r\ntext",
    "a boundary that never comes": with_head(b"Content-Type: multipart/mixed; boundary=never", b"", b"text"),
    "no boundary": with_head(b"Content-Type: multipart/mixed", b"", b"--x", b"", b"text"),
    "an empty boundary": with_head(b'Content-Type: multipart/mixed; boundary=""', b"", b"--", b"", b"text"),
    "a multipart that is not closed": parts(b"\r\ntext")[: -len(b"--cut--")],
    "a multipart in base64": with_head(
        b"Content-Type: multipart/mixed; boundary=cut",
        b"Content-Transfer-Encoding: base64",
        b"",
        b"--cut",
        b"",
        b"x",
    ),
    "parts within parts": nested(50),
    "too many parts within parts": nested(2_000),
    "too many parts": parts(*[b"\r\nx"] * 5_000),
    "too many lines": with_head(b"", b"\n" * 700_000),
    "a report of very many blocks": with_head(
        b"Content-Type: message/delivery-status", b"", b"Action: failed\r\n\r\n" * 5_000
    ),
    "a mail within a mail": parts(
        b"\r\ntext", b"Content-Type: message/rfc822\r\n\r\n" + HEAD + b"\r\n\r\ninner"
    ),
    "mails within mails": HEAD + b"\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 1_000 + b"text",
    "base64 that is none": with_head(b"Content-Transfer-Encoding: base64", b"", b"=*&^%A", b"x"),
    "quoted-printable that is none": with_head(
        b"Content-Transfer-Encoding: quoted-printable", b"", b"=ZZ=\r\n=4"
    ),
    "uuencoded": with_head(
        b"Content-Transfer-Encoding: x-uuencode", b"", b"begin 644 x", b"#86)C", b"`", b"end"
    ),
    "an encoding of garbage": with_head(b"Content-Transfer-Encoding: \xff\0", b"", b"text"),
    "a signed mail": parts(
        b"\r\ntext",
        b"Content-Type: application/pkcs7-signature; name=smime.p7s\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + ENCODED,
        kind=b"signed",
    ),
    "an encrypted mail": with_head(
        b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m",
        b"Content-Transfer-Encoding: base64",
        b"",
        ENCODED,
    ),
    "winmail.dat": parts(
        b"\r\ntext", b"Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\n\x78\x9f\x3e\x22\x01\x00"
    ),
    "a zip bomb": parts(
        b"\r\ntext", b"Content-Type: application/zip; name=bomb.zip\r\n\r\nPK\x03\x04" + b"\0" * 9_000
    ),
    "an attachment from elsewhere": parts(
        b"\r\ntext", b'Content-Disposition: attachment; filename="../../etc/passwd"\r\n\r\nroot'
    ),
    "a name in pieces": parts(
        b"\r\ntext",
        b"Content-Disposition: attachment; filename*0*=klingon''%41; filename*1=b; filename*1=c\r\n\r\nroot",
    ),
    "pages nested without end": with_head(b"Content-Type: text/html", b"", b"<div>" * 100_000 + b"text"),
    "half a page": with_head(b"Content-Type: text/html", b"", b"<p>text</p><table><tr><td"),
    "only brackets": with_head(b"Content-Type: text/html", b"", b"<" * 100_000),
    "script in a page": with_head(b"Content-Type: text/html", b"", b"<script>alert(1)</script><b>text</b>"),
}
