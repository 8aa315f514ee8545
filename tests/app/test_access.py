"""Who may see the app, and who may submit."""

import sys

import pytest
import streamlit as st
from streamlit import config

from tests.helpers.pages import first_page, opened, text_of

pytestmark = pytest.mark.usefixtures("fresh_app")


def test_with_keys_nothing_else_is_shown_until_one_fits(project, monkeypatch):
    monkeypatch.setenv("ASSAY_API_KEYS", "first, second")
    page = first_page()
    assert not page.selectbox
    page.text_input[0].input("third")
    page.button[0].click().run()
    assert page.error[0].value == "This is not one of the server's keys."
    assert not page.selectbox
    page.text_input[0].input(" second ")
    page.button[0].click().run()
    assert page.segmented_control(key="task").value in ("skin", "patients")
    monkeypatch.setenv("ASSAY_API_KEYS", "fourth")
    assert not page.run().selectbox  # a key that is taken away lets nobody in, not even who was in


@pytest.mark.parametrize("address", ["0.0.0.0", "", "192.168.1.5", "::"])
def test_a_public_address_without_keys_shows_nothing(project, monkeypatch, address):
    config = st.get_option
    monkeypatch.setattr(st, "get_option", lambda name: address if name == "server.address" else config(name))
    page = first_page()
    assert not page.selectbox
    assert "ASSAY_API_KEYS" in page.error[0].value
    monkeypatch.setattr(sys, "argv", ["app/shell.py", "--without-keys"])
    assert first_page().selectbox


def test_nothing_can_be_submitted_to_a_public_app_without_key(project):
    config.set_option("server.address", "0.0.0.0")
    page = opened("retrain", "skin")
    assert not page.button
    assert "accepts no samples or decisions" in text_of(page)


def test_commas_alone_are_no_key(project, monkeypatch):
    config.set_option("server.address", "0.0.0.0")
    monkeypatch.setenv("ASSAY_API_KEYS", " , ")
    assert not opened("retrain", "skin").button
