"""Access to the app: open on this machine; from elsewhere with one of the API's keys or an OpenID Connect login."""

import argparse
import hmac
import os
import sys

import streamlit as st

from app import hosts, keys

FLAG = "--without-keys"


def options() -> argparse.Namespace:
    """Return what stands behind `--` on the command line: `without_keys` and the names in `allowed_hosts`."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(FLAG, action="store_true")
    hosts.add_option(parser)
    return parser.parse_known_args(sys.argv[1:])[0]


def granted() -> bool:
    """Return whether the page may be shown; otherwise draw the login or an error."""
    known = keys.parse(os.environ.get("ASSAY_API_KEYS", ""))
    if has_login():
        return logged_in()
    if known:
        return st.session_state.get("key") in known or asked_for_key(known)
    if keys.is_loopback(st.get_option("server.address") or "") or options().without_keys:
        return True
    st.error(
        "This app can be reached from other machines and is not protected, so it shows nothing. Set ASSAY_API_KEYS to "
        f"comma-separated keys, configure st.login, or start it with '-- {FLAG}'."
    )
    return False


def may_write() -> bool:
    """Return whether the visitor may submit samples and decide about batches: on this machine, with a key, or logged in."""
    has_keys = bool(keys.parse(os.environ.get("ASSAY_API_KEYS", "")))
    return has_keys or has_login() or keys.is_loopback(st.get_option("server.address") or "")


def who() -> str:
    """Return the visitor's name for the ledger: the email address of a login, the first digits of a key's hash, or "app"."""
    if has_login():
        return f"{st.user.get('email') or st.user.get('sub') or 'logged in'}"
    key = st.session_state.get("key")
    return f"key {key.hex()[:8]}" if key else "app"


def has_login() -> bool:
    """Return whether .streamlit/secrets.toml configures OpenID Connect."""
    try:
        return "auth" in st.secrets
    except FileNotFoundError:
        return False


def logged_in() -> bool:
    """Return whether the visitor is logged in; otherwise draw the login button."""
    if st.user.is_logged_in:
        st.sidebar.button("Log out", on_click=st.logout)
        return True
    st.title("Assay")
    st.button("Log in", type="primary", on_click=st.login)
    return False


def asked_for_key(known: list[bytes]) -> bool:
    """Draw the field for the key; return whether the entered key is valid. The session keeps only its hash."""
    area = st.empty()
    with area.form("login"):
        st.title("Assay")
        typed = st.text_input("Key", type="password", help="One of the keys in the server's ASSAY_API_KEYS")
        pressed = st.form_submit_button("Open", type="primary")
    given = keys.digest(typed.strip().encode())
    # Compare every key in constant time, so that the duration reveals nothing about them.
    if any([hmac.compare_digest(given, expected) for expected in known]):
        st.session_state["key"] = given
        area.empty()
        return True
    if pressed:
        st.error("This is not one of the server's keys.")
    return False
