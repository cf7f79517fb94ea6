"""python3-acme, the library below certbot, for what certbot itself does not reach."""

import josepy
import pytest
from acme import challenges, client, errors, messages
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from OpenSSL import crypto

from acme_raw import make_csr
from judge import check_chain


def library(server, key):
    network = client.ClientNetwork(key, user_agent="test", verify_ssl=server.root_pem,
                                   alg=josepy.RS256 if isinstance(key, josepy.JWKRSA) else josepy.ES256)
    return client.ClientV2(client.ClientV2.get_directory(server.directory, network), network)


def rsa_key():
    return josepy.JWKRSA(key=rsa.generate_private_key(65537, 2048))


def ec_key():
    return josepy.JWKEC(key=ec.generate_private_key(ec.SECP256R1()))


def new_account(acme, **data):
    return acme.new_account(messages.NewRegistration.from_data(terms_of_service_agreed=True, **data))


def solve(acme, web, order):
    for authorization in order.authorizations:
        body = next(c for c in authorization.body.challenges if isinstance(c.chall, challenges.HTTP01))
        response, validation = body.response_and_validation(acme.net.key)
        web.answers[body.chall.encode("token")] = validation.encode()
        acme.answer_challenge(body, response)


def csr_pem(names):
    return make_csr(names, der=False).public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize("make_key", [rsa_key, ec_key], ids=["RS256", "ES256"])
def test_issue_and_revoke(server, web, make_key):
    acme = library(server, make_key())
    registration = new_account(acme, email="lib@example.com")
    assert registration.body.contact == ("mailto:lib@example.com",)
    order = acme.new_order(csr_pem(["lib.example.com"]))
    solve(acme, web, order)
    done = acme.poll_and_finalize(order)
    check_chain(done.fullchain_pem, server.root_pem, ["lib.example.com"])
    certificate = josepy.ComparableX509(crypto.load_certificate(crypto.FILETYPE_PEM, done.fullchain_pem))
    acme.revoke(certificate, 0)
    with pytest.raises(messages.Error) as refused:
        acme.revoke(certificate, 0)
    assert refused.value.code == "alreadyRevoked"


def test_account_is_found_and_deactivated(server):
    key = rsa_key()
    acme = library(server, key)
    registration = new_account(acme, email="a@example.com")
    with pytest.raises(errors.ConflictError) as conflict:
        new_account(library(server, key))
    assert conflict.value.location == registration.uri
    updated = acme.update_registration(registration.update(body=registration.body.update(contact=("mailto:b@example.com",))))
    assert updated.body.contact == ("mailto:b@example.com",)
    acme.deactivate_registration(registration)
    with pytest.raises(messages.Error) as refused:
        acme.new_order(csr_pem(["gone.example.com"]))
    assert refused.value.code == "unauthorized"


def test_failed_challenge_is_told(server, web):
    acme = library(server, rsa_key())
    new_account(acme)
    order = acme.new_order(csr_pem(["wrong.example.com"]))
    body = next(c for c in order.authorizations[0].body.challenges if isinstance(c.chall, challenges.HTTP01))
    acme.answer_challenge(body, body.response(acme.net.key))
    with pytest.raises(errors.ValidationError) as failed:
        acme.poll_and_finalize(order)
    shown = failed.value.failed_authzrs[0].body.challenges[0].error
    assert shown.code in ("unauthorized", "incorrectResponse")
    assert "wrong.example.com" in shown.detail
