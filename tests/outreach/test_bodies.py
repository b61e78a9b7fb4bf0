from outreach.bodies import compile_draft, html_from_text, text_from_html, text_template_from_html


def test_plain_text_becomes_paragraphs_and_lines():
    html = html_from_text("Hi Ana,\r\n\r\nfirst\nsecond\n\n\nBo\n")

    assert html == "<html><body>\n<p>Hi Ana,</p>\n<p>first<br>\nsecond</p>\n<p>Bo</p>\n</body></html>\n"


def test_markup_in_plain_text_stays_text():
    assert "<p>1 &lt; 2 &amp; <b>" not in html_from_text("1 < 2 & <b>")
    assert "<p>1 &lt; 2 &amp; &lt;b&gt;</p>" in html_from_text("1 < 2 & <b>")


def test_web_addresses_become_links_without_the_full_stop_after_them():
    html = html_from_text('See https://a.example/x?a=1&b="2, or (http://b.example/).')

    assert '<a href="https://a.example/x?a=1&amp;b=">https://a.example/x?a=1&amp;b=</a>"2' in html
    assert '(<a href="http://b.example/">http://b.example/</a>).' in html


def test_a_script_address_is_no_link():
    assert "href" not in html_from_text("javascript:alert(1) data:text/html,x")


def test_html_becomes_readable_text():
    html = '<p>Hi <b>Ana</b>,</p><ul><li>one</li></ul><p><a href="https://a.example/x">here</a></p>'

    assert text_from_html(html) == "Hi Ana,\n\n  * one\n\n[here](https://a.example/x)\n"


def test_empty_html_is_empty_text():
    assert text_from_html("  \n") == ""


def test_liquid_survives_the_way_from_html_to_text():
    html = '<p>Hi {{ first_name | default: "a < b & c" }},</p><a href="{{ unsubscribe_url }}">stop</a>'

    text = text_template_from_html(html)

    assert text == 'Hi {{ first_name | default: "a < b & c" }},\n\n[stop]({{ unsubscribe_url }})\n'


def test_a_text_draft_is_filled_for_a_contact():
    body = compile_draft("For {{ company }}", "Hi {{ first_name }}").fill(
        {"company": "A\nB", "first_name": "Ana"}
    )

    assert (body.subject, body.text, body.html) == ("For A B", "Hi Ana", None)


def test_an_html_draft_escapes_in_html_and_not_in_text():
    draft = compile_draft("Hi", "<p>{{ company }}</p>", is_html=True)

    body = draft.fill({"company": "A & <B>"})

    assert body.html == "<p>A &amp; &lt;B&gt;</p>"
    assert body.text == "A & <B>\n"


def test_html_with_conditions_leaves_its_text_to_be_made_from_each_mail():
    draft = compile_draft(
        "Hi", "<table>{% if a %}<tr><td>{{ a }}</td></tr>{% endif %}</table>x", is_html=True
    )

    body = draft.fill({})

    assert body.text is None
    assert body.html == "<table></table>x"
