"""Who may see the app: everybody on this machine; elsewhere who has one of the API's keys, or logs in with OpenID Connect."""

import hmac
import os
import sys

import streamlit as st

from app import keys

FLAG = "--without-keys"


def granted() -> bool:
    """Return whether the page may be shown; where not, draw what stands in its place."""
    known = keys.parse(os.environ.get("ASSAY_API_KEYS", ""))
    if has_login():
        return logged_in()
    if known:
        return st.session_state.get("key") in known or asked_for_key(known)
    if keys.is_loopback(st.get_option("server.address") or "") or FLAG in sys.argv[1:]:
        return True
    st.error(
        "This app can be reached from other machines and has no protection, so it shows nothing. Set ASSAY_API_KEYS to "
        f"comma-separated keys, configure st.login, or start it with '-- {FLAG}'."
    )
    return False


def may_write() -> bool:
    """Return whether who sees the page may hand in samples and decide: on this machine, with a key, or logged in."""
    has_keys = bool(keys.parse(os.environ.get("ASSAY_API_KEYS", "")))
    return has_keys or has_login() or keys.is_loopback(st.get_option("server.address") or "")


def who() -> str:
    """Return what the ledger says of who uses the page: the mail address of a login, the beginning of a key's hash, or app."""
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
    """Return whether the visitor has logged in; draw the button where not."""
    if st.user.is_logged_in:
        st.sidebar.button("Log out", on_click=st.logout)
        return True
    st.title("Assay")
    st.button("Log in", type="primary", on_click=st.login)
    return False


def asked_for_key(known: list[bytes]) -> bool:
    """Draw the field for the key; return whether what was typed is one, which the session then remembers as its hash."""
    place = st.empty()
    with place.form("login"):
        st.title("Assay")
        typed = st.text_input("Key", type="password", help="One of those in the server's ASSAY_API_KEYS")
        pressed = st.form_submit_button("Open", type="primary")
    given = keys.digest(typed.strip().encode())
    # every key is compared, in constant time: how long it takes says nothing about them
    if any([hmac.compare_digest(given, expected) for expected in known]):
        st.session_state["key"] = given
        place.empty()
        return True
    if pressed:
        st.error("This is none of the server's keys.")
    return False
