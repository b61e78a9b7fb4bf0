"""No path leads to two places."""

import re
from collections import Counter

from django.urls import resolve

from tests.api.routes import all_routes

ANY_ID = "01890000-0000-7000-8000-000000000000"


def test_no_two_routes_have_the_same_method_and_path():
    shapes = Counter((route.method, re.sub(r"\{\w+\}", "{}", route.path)) for route in all_routes())

    doubled = [shape for shape, times in shapes.items() if times > 1]

    assert doubled == []


def test_every_route_is_reached_by_its_own_path_with_and_without_a_slash():
    shadowed = [
        f"{route}{slash}"
        for route in all_routes()
        for slash in ("", "/")
        if resolve(route.at(ANY_ID).partition("?")[0] + slash).func is not route.callback
    ]

    assert shadowed == []


def test_there_are_routes_to_look_at():
    assert len(all_routes()) > 40
